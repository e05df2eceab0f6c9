/** What every `PodRuntime` must do. A runtime's own test calls this with a way to open it. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContainerRecord, ContainerSpec, LogOptions, PodIdentity, PodRuntime } from "./pod-runtime.ts";
import type { ImageConfig } from "./ports.ts";
import type { TarEntry } from "./testing.ts";

export interface RuntimeUnderTest extends AsyncDisposable {
  readonly runtime: PodRuntime;
  /** Makes `reference` pullable. Programs of the host (`sh`, `node`) can be named in its command. */
  addImage(reference: string, config: ImageConfig, files: readonly TarEntry[]): Promise<void>;
  /** Lets the runtime go, without ending containers, and opens it again over the same state. */
  reopen(): Promise<PodRuntime>;
}

export const pod: PodIdentity = { uid: "6ad4f3c8-1111-4222-8333-944455556666", namespace: "default", name: "web-abc" };

const signal = AbortSignal.timeout(240_000);
const plainLog: LogOptions = { follow: false, timestamps: false, signal };

export async function specOf(
  runtime: PodRuntime,
  script: string,
  more: Partial<ContainerSpec> = {},
): Promise<ContainerSpec> {
  const image = await runtime.pull("registry.test/app:1", { policy: "IfNotPresent", signal });
  const network = await runtime.preparePod({ pod, ports: [8080], image }, signal);
  const args = ["-c", script];
  const ports = [{ containerPort: 8080 }];
  return { pod, name: "app", attempt: 0, image, args, env: {}, ports, network, mounts: [], labels: {}, ...more };
}

export async function ended(runtime: PodRuntime, id: string): Promise<ContainerRecord> {
  const events = runtime.events.subscribe(signal);
  for (;;) {
    const record = runtime.list().find((candidate) => candidate.id === id);
    assert.ok(record);
    if (record.state.kind === "exited") return record;
    await events.next();
  }
}

export async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString("utf8");
}

/** Waits until the container has written `text`. */
export async function written(runtime: PodRuntime, id: string, text: string): Promise<void> {
  let all = "";
  for await (const chunk of runtime.logs(id, { ...plainLog, follow: true })) {
    all += Buffer.from(chunk).toString("utf8");
    if (all.includes(text)) return;
  }
  assert.fail(`the log ended without "${text}": ${all}`);
}

export interface RuntimeCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

export function podRuntimeCases(open: () => Promise<RuntimeUnderTest>): readonly RuntimeCase[] {
  const cases: RuntimeCase[] = [];
  function add(name: string, run: () => Promise<void>): void {
    cases.push({ name, run });
  }
  async function given(): Promise<RuntimeUnderTest> {
    const subject = await open();
    const files: TarEntry[] = [{ name: "app/hello.txt", content: "from the image\n" }];
    await subject.addImage(
      "registry.test/app:1",
      { Entrypoint: ["sh"], WorkingDir: "/app", Env: ["A=image", "B=image"] },
      files,
    );
    return subject;
  }

  add("a container runs in the image's working directory and its output and exit code are kept", async () => {
    await using subject = await given();
    const { runtime } = subject;
    const { id } = await runtime.startContainer(await specOf(runtime, "cat hello.txt; echo oops >&2; exit 3"), signal);

    const record = await ended(runtime, id);

    assert.equal(record.state.kind === "exited" && record.state.exitCode, 3);
    // Two streams, so an engine that carries them apart may show either first.
    const lines = (await textOf(runtime.logs(id, plainLog))).split("\n").toSorted();
    assert.deepEqual(lines, ["", "from the image", "oops"]);
  });

  add("the environment is the image's under the pod's, and nothing of ours", async () => {
    await using subject = await given();
    const { runtime } = subject;
    const spec = await specOf(runtime, 'echo "$A $B $HOSTNAME $PORT"; env', { env: { B: "pod" } });
    const { id } = await runtime.startContainer(spec, signal);

    await ended(runtime, id);

    const text = await textOf(runtime.logs(id, plainLog));
    assert.equal(text.split("\n")[0], `image pod web-abc ${spec.network.ports["8080"]}`);
    assert.ok(!text.includes("RUNTIME_TEST_SECRET"));
  });

  add("starting the same attempt again gives the container that is there", async () => {
    await using subject = await given();
    const { runtime } = subject;
    const spec = await specOf(runtime, "echo started; sleep 60");
    const [first, second] = await Promise.all([
      runtime.startContainer(spec, signal),
      runtime.startContainer(spec, signal),
    ]);
    await written(runtime, first.id, "started");

    assert.equal(second.id, first.id);
    assert.equal(runtime.list(pod.uid).length, 1);
  });

  add("stop sends the stop signal first and waits for the end", async () => {
    await using subject = await given();
    const { runtime } = subject;
    const script = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done";
    const { id } = await runtime.startContainer(await specOf(runtime, script), signal);
    await written(runtime, id, "ready");

    await runtime.stopContainer(id, { graceMs: 20_000, signal });

    const state = runtime.list()[0]?.state;
    assert.equal(state?.kind === "exited" && state.exitCode, 7);
    assert.match(await textOf(runtime.logs(id, plainLog)), /bye/);
  });

  add("a container that ignores the stop signal is killed after the grace period", async () => {
    await using subject = await given();
    const { runtime } = subject;
    const script = "trap '' TERM; echo ready; while :; do sleep 0.05; done";
    const { id } = await runtime.startContainer(await specOf(runtime, script), signal);
    await written(runtime, id, "ready");

    await runtime.stopContainer(id, { graceMs: 100, signal });

    const state = runtime.list()[0]?.state;
    assert.equal(state?.kind === "exited" && state.exitCode, 137);
  });

  add("following a log gives what is written later and ends with the container", async () => {
    await using subject = await given();
    const { runtime } = subject;
    const script = "echo one; sleep 0.2; echo two; sleep 0.2; echo three";
    const { id } = await runtime.startContainer(await specOf(runtime, script), signal);

    assert.equal(await textOf(runtime.logs(id, { ...plainLog, follow: true })), "one\ntwo\nthree\n");
    assert.equal(await textOf(runtime.logs(id, { ...plainLog, tailLines: 2 })), "two\nthree\n");
    const stamped = await textOf(runtime.logs(id, { ...plainLog, timestamps: true, tailLines: 1 }));
    assert.match(stamped, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z three\n$/);
  });

  add("containers outlive the runtime and are found again, running or ended meanwhile", async () => {
    await using subject = await given();
    const before = subject.runtime;
    const long = await before.startContainer(
      await specOf(before, "echo up; sleep 60", { labels: { streak: "2" } }),
      signal,
    );
    const short = await before.startContainer(
      await specOf(before, "echo up; sleep 0.4; exit 5", { name: "short" }),
      signal,
    );
    await written(before, long.id, "up");
    await written(before, short.id, "up");

    const after = await subject.reopen();
    const found = await ended(after, short.id);

    assert.equal(found.state.kind === "exited" && found.state.exitCode, 5);
    const kept = after.list().find((record) => record.id === long.id);
    assert.equal(kept?.state.kind, "running");
    assert.deepEqual(kept?.labels, { streak: "2" });
    await after.stopContainer(long.id, { graceMs: 5000, signal });
    assert.equal(after.list().find((record) => record.id === long.id)?.state.kind, "exited");
  });

  add("a pod's ports stay over a reopen, and go to nobody else", async () => {
    await using subject = await given();
    const network = await subject.runtime.preparePod({ pod, ports: [8080, 9090] }, signal);
    const after = await subject.reopen();
    const other = { ...pod, uid: "7ad4f3c8-1111-4222-8333-944455556666" };
    const otherNetwork = await after.preparePod({ pod: other, ports: [8080] }, signal);

    assert.deepEqual(await after.preparePod({ pod, ports: [8080, 9090] }, signal), network);
    const places = Object.values(network.ports).map((port) => `${network.ip}:${port}`);
    assert.ok(!places.includes(`${otherNetwork.ip}:${otherNetwork.ports["8080"]}`));
  });

  add("removing a pod ends its containers and forgets them", async () => {
    await using subject = await given();
    const { runtime } = subject;
    const { id } = await runtime.startContainer(await specOf(runtime, "echo up; sleep 60"), signal);
    await written(runtime, id, "up");

    await runtime.removePod(pod.uid, signal);

    assert.deepEqual(runtime.list(), []);
    assert.deepEqual(runtime.pods(), []);
  });

  add("exec runs beside the container in its environment", async () => {
    await using subject = await given();
    const { runtime } = subject;
    const spec = await specOf(runtime, "echo up; sleep 60", { env: { WHO: "me" } });
    const { id } = await runtime.startContainer(spec, signal);
    await written(runtime, id, "up");

    const result = await runtime.exec(id, ["sh", "-c", 'echo "$WHO"; cat hello.txt; exit 4'], {
      timeoutMs: 5000,
      signal,
    });

    assert.deepEqual(result, { exitCode: 4, output: "me\nfrom the image\n" });
  });

  add("a volume's files are where the container looks for them, and change under it", async () => {
    await using subject = await given();
    const { runtime } = subject;
    const spec = await specOf(runtime, "cat config/a; while ! grep -q new config/a; do sleep 0.02; done; echo seen", {
      mounts: [{ volume: "settings", mountPath: "/app/config" }],
    });
    const files = (text: string): ReadonlyMap<string, Uint8Array> => new Map([["a", Buffer.from(text)]]);
    await runtime.writeVolume(pod.uid, { name: "settings", files: files("old\n") }, signal);
    const { id } = await runtime.startContainer(spec, signal);
    await written(runtime, id, "old");

    await runtime.writeVolume(pod.uid, { name: "settings", files: files("new\n") }, signal);

    await ended(runtime, id);
    assert.equal(await textOf(runtime.logs(id, plainLog)), "old\nseen\n");
  });

  add("a folder of the machine is a volume, and a sub-path that is not there yet is made", async () => {
    await using subject = await given();
    const { runtime } = subject;
    const folder = await mkdtemp(join(tmpdir(), "host-path-"));
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => rm(folder, { recursive: true }));
    const mounts = [
      { volume: "data", mountPath: "/app/data" },
      { volume: "data", mountPath: "/app/logs", subPath: "logs/today" },
    ];
    await runtime.writeVolume(pod.uid, { name: "data", hostPath: folder }, signal);
    const spec = await specOf(runtime, "echo kept > data/a; echo line > logs/b", { mounts });
    const { id } = await runtime.startContainer(spec, signal);
    await ended(runtime, id);

    await runtime.removePod(pod.uid, signal);

    assert.equal(await readFile(join(folder, "a"), "utf8"), "kept\n");
    assert.equal(await readFile(join(folder, "logs/today/b"), "utf8"), "line\n");
  });

  add("a file may have a mode of its own, whatever the umask", async () => {
    await using subject = await given();
    const { runtime } = subject;
    const files = new Map([
      ["plain", Buffer.from("1")],
      ["run/it", Buffer.from("2")],
    ]);
    const volume = { name: "files", files, mode: 0o644, modes: new Map([["run/it", 0o777]]) };
    await runtime.writeVolume(pod.uid, volume, signal);
    const mounts = [{ volume: "files", mountPath: "/app/files" }];
    const script = "ls -lL files/plain files/run/it | cut -c1-10";
    const { id } = await runtime.startContainer(await specOf(runtime, script, { mounts }), signal);
    await ended(runtime, id);
    assert.equal(await textOf(runtime.logs(id, plainLog)), "-rw-r--r--\n-rwxrwxrwx\n");
  });

  add("why a container ended is read from its own file, cut to 4 KiB", async () => {
    await using subject = await given();
    const { runtime } = subject;
    const script = "head -c 5000 /dev/zero | tr '\\0' x > why; exit 1";
    const { id } = await runtime.startContainer(await specOf(runtime, script), signal);
    await ended(runtime, id);
    assert.equal(await runtime.terminationMessage(id, "/app/why"), "x".repeat(4096));
    assert.equal(await runtime.terminationMessage(id, "/app/nothing"), "");
  });

  add("a container that works is told to use processor time and memory", async () => {
    await using subject = await given();
    const { runtime } = subject;
    const script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; sleep 60";
    const { id } = await runtime.startContainer(await specOf(runtime, script), signal);
    await written(runtime, id, "done");
    const used = (await runtime.usage(signal)).find((usage) => usage.id === id);
    assert.ok(used !== undefined && used.cpuMs > 0 && used.memoryBytes > 100_000, JSON.stringify(used));
  });

  add("an image that is not there is refused with its name", async () => {
    await using subject = await given();
    const { runtime } = subject;
    await assert.rejects(runtime.pull("registry.test/none:1", { policy: "Always", signal }), /registry\.test\/none:1/);
    await assert.rejects(runtime.pull("registry.test/none:1", { policy: "Never", signal }), /pull policy of Never/);
  });

  add("a program that is nowhere is refused before anything runs", async () => {
    await using subject = await given();
    const { runtime } = subject;
    const spec = await specOf(runtime, "", { command: ["no-such-program"] });
    await assert.rejects(runtime.startContainer(spec, signal), /"no-such-program": executable file not found/);
    assert.deepEqual(runtime.list(), []);
  });

  return cases;
}
