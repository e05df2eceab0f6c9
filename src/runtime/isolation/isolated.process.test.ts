import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog, systemClock, systemIds } from "#lib";
import type { ContainerSecurity, ContainerSpec, PodRuntime } from "../pod-runtime.ts";
import type { ImageConfig } from "../ports.ts";
import { openProcessRuntime } from "../process/open-process-runtime.ts";
import { ended, pod, podRuntimeCases, type RuntimeUnderTest, specOf, textOf, written } from "../runtime.cases.ts";
import { podSessionCases } from "../sessions.cases.ts";
import { busyboxFiles, ImageSourceFake, type TarEntry } from "../testing.ts";
import { detectAbilities } from "./detect.ts";
import { limitsMemory } from "./limits.ts";

const signal = AbortSignal.timeout(240_000);
const hostPath = process.env["PATH"] ?? "/usr/bin:/bin";
const { isolation, limits } = await detectAbilities(tmpdir(), `${hostPath}:/usr/sbin:/sbin`, signal);
const programs = busyboxFiles();
const skip = typeof isolation === "string" ? isolation : typeof programs === "string" ? programs : false;

const noMemoryLimit = typeof limits === "string" ? limits : !limitsMemory(limits) && "memory cannot be limited here";

interface Subject extends RuntimeUnderTest {
  readonly folder: string;
  readonly source: ImageSourceFake;
}

async function open(): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), "isolated-"));
  const source = new ImageSourceFake(join(folder, "blobs"));
  const options = {
    podsFolder: join(folder, "pods"),
    imagesFolder: join(folder, "images"),
    source,
    hostPath,
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
    signal,
  };
  const opened: PodRuntime[] = [await openProcessRuntime(options)];
  return {
    folder,
    source,
    runtime: opened[0] as PodRuntime,
    addImage: async (reference, config, files) =>
      void (await source.add(reference, config, [typeof programs === "string" ? [] : programs, files])),
    async reopen() {
      await opened.at(-1)?.[Symbol.asyncDispose]();
      const next = await openProcessRuntime(options);
      opened.push(next);
      return next;
    },
    async [Symbol.asyncDispose]() {
      const last = opened.at(-1) as PodRuntime;
      for (const { uid } of last.pods()) await last.removePod(uid, signal);
      await last[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Of processes without a network of their own. */
const ofSharedNetwork = "a port that no container declares is refused with those that are";

for (const { name, run } of podRuntimeCases(open)) test(name, { skip }, run);
for (const { name, run } of podSessionCases(open)) {
  test(name, { skip: skip || (name === ofSharedNetwork && "a pod with its own address has all ports") }, run);
}

const image = "registry.test/app:1";
const text = async (runtime: PodRuntime, id: string): Promise<string> =>
  await textOf(runtime.logs(id, { follow: true, timestamps: false, signal }));

/** Runs a script in a container of the image and gives what it wrote. */
async function said(subject: Subject, script: string, more: Partial<ContainerSpec> = {}): Promise<string> {
  const spec = await specOf(subject.runtime, script, more);
  const { id } = await subject.runtime.startContainer(spec, signal);
  return await text(subject.runtime, id);
}

async function withImage(
  config: ImageConfig = { Entrypoint: ["sh"] },
  files: readonly TarEntry[] = [],
): Promise<Subject> {
  const subject = await open();
  await subject.addImage(image, config, files);
  return subject;
}

const nobodyAsks: ContainerSecurity = {
  privileged: false,
  runAsNonRoot: false,
  groups: [],
  readOnlyRootFilesystem: false,
  addCapabilities: [],
  dropCapabilities: [],
  seccomp: undefined,
};

test("a container sees its own files and processes, and nothing of the machine", { skip }, async () => {
  await using subject = await withImage();
  const script = `ls /; ls -d ${subject.folder} /proc/1/root${subject.folder} 2>&1; ps -o pid,args | wc -l; echo $$; hostname; ls /sys/firmware; cat /proc/keys | wc -c`;
  const seen = await said(subject, script);
  const lines = seen.split("\n");
  assert.deepEqual(lines.slice(0, 7), [
    "bin",
    "dev",
    "etc",
    "proc",
    "sys",
    "tmp",
    `ls: ${subject.folder}: No such file or directory`,
  ]);
  assert.match(seen, /ls: \/proc\/1\/root\/tmp\/isolated-\w+: No such file or directory/);
  // ps itself, the head line, the shell, wc.
  assert.match(seen, /\n4\n1\nweb-abc\n0\n$/);
});

test("a container cannot mount, load, make devices or leave its root", { skip }, async () => {
  await using subject = await withImage();
  const script = `
    mount -t tmpfs x /tmp 2>&1 | sed 's/.*: //'
    mknod /tmp/disk b 254 0 2>&1 | sed 's/.*: //'
    echo b > /proc/sysrq-trigger; echo 1 > /proc/sys/kernel/panic
    mkdir -p /tmp/a; chroot /tmp/a /bin/true 2>/dev/null; ls /..
    grep -E 'NoNewPrivs|CapEff|CapBnd' /proc/self/status | tr '\\t' ' '`;
  const seen = await said(subject, script);
  assert.match(seen, /^(?:Operation not permitted|permission denied.*)\n(?:Operation not permitted)\n/i);
  assert.match(seen, /Read-only file system/);
  assert.match(seen, /\nbin\ndev\netc\nproc\nsys\ntmp\n/);
  // The default without MKNOD.
  assert.match(seen, /CapEff: 00000000a00425fb\nCapBnd: 00000000a00425fb\nNoNewPrivs: 1\n$/);
});

test("pods have addresses of their own: two listen on the same port, and reach each other", { skip }, async () => {
  await using subject = await withImage();
  const { runtime } = subject;
  const other = { ...pod, uid: "7ad4f3c8-1111-4222-8333-944455556666", name: "web-def" };
  const serve =
    "echo up; while :; do printf 'HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\n%s' $(hostname) | nc -l -p 8080 >/dev/null; done";
  const first = await specOf(runtime, serve);
  const network = await runtime.preparePod({ pod: other, ports: [8080], image: first.image }, signal);
  for (const spec of [first, { ...first, pod: other, network }]) {
    const { id } = await runtime.startContainer(spec, signal);
    await written(runtime, id, "up");
  }
  assert.deepEqual([first.network.ports, network.ports], [{ 8080: 8080 }, { 8080: 8080 }]);
  assert.notEqual(first.network.ip, network.ip);
  assert.equal(await answer(first.network.ip), "web-abc");
  assert.equal(await answer(network.ip), "web-def");
  const asks = await said(
    subject,
    `wget -q -O - http://${network.ip}:8080/; echo; ip -o address show eth0 | grep -o '10[.0-9]*/'; grep web-abc /etc/hosts`,
    { name: "asks" },
  );
  assert.equal(asks, `web-def\n${first.network.ip}/\n${first.network.ip}\tweb-abc\n`);
});

/** A server that takes one connection at a time may refuse the next for a moment. */
async function answer(ip: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    try {
      return await (await fetch(`http://${ip}:8080/`)).text();
    } catch (error) {
      if (tries > 50) throw error;
      await systemClock.sleep(20, signal);
    }
  }
}

test("containers of a pod share its network", { skip }, async () => {
  await using subject = await withImage();
  const { runtime } = subject;
  const { id } = await runtime.startContainer(await specOf(runtime, "echo up; nc -l -p 9999 -e echo hello"), signal);
  await written(runtime, id, "up");
  assert.equal(await said(subject, "sleep 0.3; nc 127.0.0.1 9999", { name: "second" }), "hello\n");
});

test("it runs as the image's user, with its groups and home, or as the pod says", { skip }, async () => {
  await using subject = await withImage({ Entrypoint: ["sh"], User: "app" }, [
    { name: "app/mine", content: "x", uid: 1234, gid: 1235, mode: 0o600 },
  ]);
  assert.equal(
    await said(subject, 'id -u; id -g; id -G; echo "$HOME"; cat /app/mine; grep CapEff /proc/self/status'),
    "1234\n1235\n1235 1300\n/app\nxCapEff:\t0000000000000000\n",
  );
  const security = { ...nobodyAsks, runAsUser: 77, runAsGroup: 78, groups: [79], fsGroup: 80, runAsNonRoot: true };
  assert.equal(
    await said(subject, "id -u; id -G; cat /app/mine 2>&1", { attempt: 1, security }),
    "77\n78 79 80\ncat: can't open '/app/mine': Permission denied\n",
  );
});

test("what it may not have is refused with why", { skip }, async () => {
  await using subject = await withImage();
  const start = async (security: Partial<ContainerSecurity>): Promise<unknown> =>
    await subject.runtime.startContainer(
      await specOf(subject.runtime, "true", { security: { ...nobodyAsks, ...security } }),
      signal,
    );
  await assert.rejects(start({ privileged: true }), /privileged/);
  await assert.rejects(start({ runAsNonRoot: true }), /container has runAsNonRoot and image will run as root/);
  await assert.rejects(start({ addCapabilities: ["SYS_ADMIN"] }), /Cannot give capability "SYS_ADMIN"/);
  assert.deepEqual(subject.runtime.list(), []);
});

test("a read-only root, dropped capabilities and the filter of system calls hold", { skip }, async () => {
  await using subject = await withImage();
  const security: ContainerSecurity = {
    ...nobodyAsks,
    readOnlyRootFilesystem: true,
    dropCapabilities: ["ALL"],
    addCapabilities: ["NET_BIND_SERVICE"],
    seccomp: "RuntimeDefault",
  };
  const script =
    "touch /x 2>&1 | sed 's/.*: //'; grep -E 'CapEff|Seccomp:' /proc/self/status | tr '\\t' ' '; unshare -U true 2>&1 | sed 's/.*: //'; echo x > /dev/shm/y && cat /dev/shm/y";
  assert.equal(
    await said(subject, script, { security }),
    "Read-only file system\nCapEff: 0000000000000400\nSeccomp: 2\nOperation not permitted\nx\n",
  );
});

test("a container over its memory limit is ended, and that is told", { skip: skip || noMemoryLimit }, async () => {
  await using subject = await withImage();
  const { runtime } = subject;
  const script = "echo up; exec tail -c 90000000 /dev/zero";
  const spec = await specOf(runtime, script, { limits: { memoryBytes: 24 * 1024 * 1024 } });
  const { id } = await runtime.startContainer(spec, signal);
  const record = await ended(runtime, id);
  const { state } = record;
  assert.deepEqual(state.kind === "exited" && [state.exitCode, state.oomKilled], [137, true]);
  // Whoever waited for it may say so.
  assert.match(await text(runtime, id), /^up\n(?:Killed\n)?$/);
});

test("what a container changes stays its own, and the image as it was", { skip }, async () => {
  await using subject = await withImage();
  await said(subject, "echo changed > /etc/passwd; rm /bin/ls; mkdir /new");
  assert.equal(
    await said(subject, "wc -l < /etc/passwd; ls -d /bin/ls /new 2>/dev/null", { attempt: 1 }),
    "2\n/bin/ls\n",
  );
});

test("variables that would run code in the machine's programs reach the container only", { skip }, async () => {
  await using subject = await withImage();
  const env = { NODE_OPTIONS: "--require=/nowhere.js", LD_PRELOAD: "/nowhere.so", ENV: "/nowhere.sh" };
  assert.equal(await said(subject, 'echo "$NODE_OPTIONS $LD_PRELOAD"', { env }), "--require=/nowhere.js /nowhere.so\n");
});

test(
  "an image without a root file system is a plain process, and refused where isolation is asked for",
  { skip },
  async () => {
    await using subject = await open();
    const { runtime } = subject;
    const source = subject.source;
    await source.add(image, { Entrypoint: ["sh"] }, [[{ name: "app/x", content: "x" }]]);
    const pulled = await runtime.pull(image, { policy: "Always", signal });
    const network = await runtime.preparePod({ pod, ports: [8080], image: pulled }, signal);
    assert.equal(network.ip, "127.0.0.1");
    await assert.rejects(
      runtime.preparePod({ pod, ports: [8080], image: pulled, handler: "isolated" }, signal),
      /no root file system of its own/,
    );
  },
);

test("a plain container beside an isolated one is on the pod's network", { skip }, async () => {
  await using subject = await withImage();
  const { runtime } = subject;
  await subject.source.add("registry.test/plain:1", { Entrypoint: ["sh"] }, [[{ name: "app/x", content: "x" }]]);
  const spec = await specOf(runtime, "echo up; nc -l -p 9999 -e echo hello");
  const { id } = await runtime.startContainer(spec, signal);
  await written(runtime, id, "up");
  const plain = await runtime.pull("registry.test/plain:1", { policy: "Always", signal });
  const args = ["-c", "cat /proc/net/fib_trie"];
  const second = await runtime.startContainer({ ...spec, name: "second", image: plain, args }, signal);
  assert.ok((await text(runtime, second.id)).includes(spec.network.ip));
});
