import assert from "node:assert/strict";
import { once } from "node:events";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { silentLog, systemClock, systemIds } from "#lib";
import type { PodRuntime } from "../pod-runtime.ts";
import { ended, pod, podRuntimeCases, type RuntimeUnderTest, specOf, textOf, written } from "../runtime.cases.ts";
import { ImageSourceFake } from "../testing.ts";
import { serverImage } from "./testdata/server-image.ts";
import { openProcessRuntime, type ProcessRuntimeOptions } from "./open-process-runtime.ts";

process.env["RUNTIME_TEST_SECRET"] = "must not reach a container";
const signal = AbortSignal.timeout(120_000);

function optionsFor(folder: string, source: ImageSourceFake): ProcessRuntimeOptions {
  return {
    podsFolder: join(folder, "pods"),
    imagesFolder: join(folder, "images"),
    source,
    hostPath: process.env["PATH"] ?? "/usr/bin:/bin",
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
    signal,
  };
}

interface Subject extends RuntimeUnderTest {
  readonly folder: string;
  readonly source: ImageSourceFake;
}

async function open(more: Partial<ProcessRuntimeOptions> = {}): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), "runtime-"));
  const source = new ImageSourceFake(join(folder, "blobs"));
  const options = { ...optionsFor(folder, source), ...more };
  const opened: PodRuntime[] = [await openProcessRuntime(options)];
  return {
    folder,
    source,
    runtime: opened[0] as PodRuntime,
    addImage: async (reference, config, files) => void (await source.add(reference, config, [files])),
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

for (const { name, run } of podRuntimeCases(open)) test(name, run);

test("kill -9 of the process that opened the runtime leaves its containers serving, and they are adopted", async () => {
  await using subject = await open();
  const script = fileURLToPath(import.meta.resolve("./testdata/control.ts"));
  const control = spawn(process.execPath, [script, subject.folder, process.env["PATH"] ?? ""], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(control.stdout, "data")) as [Buffer];
  const { id, port } = JSON.parse(line.toString("utf8")) as { id: string; port: number };
  const before = await (await fetch(`http://127.0.0.1:${port}/`)).text();

  control.kill("SIGKILL");
  await once(control, "exit");
  const runtime = await subject.reopen();

  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), before);
  assert.equal(runtime.list().find((record) => record.id === id)?.state.kind, "running");
  await runtime.stopContainer(id, { graceMs: 5000, signal });
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  const state = runtime.list()[0]?.state;
  assert.equal(state?.kind === "exited" && state.exitCode, 143);
});

test("a container whose shim was killed while nobody looked is recorded as lost, and nothing of it runs on", async () => {
  await using subject = await open();
  await subject.addImage("registry.test/app:1", { Entrypoint: ["sh"] }, []);
  const { id } = await subject.runtime.startContainer(await specOf(subject.runtime, "echo $$; sleep 60"), signal);
  await written(subject.runtime, id, "\n");
  const command = Number(await textOf(subject.runtime.logs(id, { follow: false, timestamps: false, signal })));
  await subject.runtime[Symbol.asyncDispose]();
  const shim = Number(await readFile(join(subject.folder, "pods", pod.uid, "containers/app.0/pid"), "utf8"));
  process.kill(shim, "SIGKILL");
  await gone(shim);

  const runtime = await subject.reopen();

  const state = runtime.list()[0]?.state;
  assert.deepEqual(state?.kind === "exited" && [state.exitCode, state.witnessed], [137, false]);
  await gone(command);
});

test("a start that a crash cut off before the shim ran is rubbish, and the shim that comes late runs nothing", async () => {
  await using subject = await open();
  await subject.addImage("registry.test/app:1", { Entrypoint: ["sh"] }, []);
  const { id } = await subject.runtime.startContainer(await specOf(subject.runtime, "echo up; sleep 60"), signal);
  await written(subject.runtime, id, "up");
  await subject.runtime.removeContainer(id, signal);
  const folder = join(subject.folder, "pods", pod.uid, "containers/app.1");
  await subject.runtime[Symbol.asyncDispose]();
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "state.json"), JSON.stringify({ id: "x", pod, name: "app", attempt: 1, labels: {} }));

  const runtime = await subject.reopen();
  const late = spawn("/bin/sh", [
    join(subject.folder, "container-shim.sh"),
    folder,
    "touch",
    join(subject.folder, "ran"),
  ]);
  const [code] = (await once(late, "exit")) as [number];

  assert.equal(code, 0);
  assert.deepEqual(runtime.list(), []);
  await assert.rejects(readFile(join(subject.folder, "ran")));
});

test("what a container leaves in the background ends with it", async () => {
  await using subject = await open();
  await subject.addImage("registry.test/app:1", { Entrypoint: ["sh"] }, []);
  const script = "sleep 60 & echo $!; (trap '' HUP; exec setsid sleep 61) & echo $!";
  const { id } = await subject.runtime.startContainer(await specOf(subject.runtime, script), signal);
  await ended(subject.runtime, id);

  const pids = (await textOf(subject.runtime.logs(id, { follow: false, timestamps: false, signal })))
    .trim()
    .split("\n");

  assert.equal(pids.length, 2);
  for (const pid of pids) await gone(Number(pid));
});

test("a port that another program took while the pod was down is replaced", async () => {
  await using subject = await open();
  const network = await subject.runtime.preparePod({ pod, ports: [8080] }, signal);
  const thief = createServer().listen(network.ports["8080"], "127.0.0.1");
  await once(thief, "listening");
  try {
    const next = await subject.runtime.preparePod({ pod, ports: [8080] }, signal);
    assert.notEqual(next.ports["8080"], network.ports["8080"]);
  } finally {
    thief.close();
  }
});

test("a log over its limit is cut over without losing lines, and a follower reads through", async () => {
  await using subject = await open({ logMaxBytes: 20_000 });
  await subject.addImage("registry.test/app:1", { Entrypoint: ["sh"] }, []);
  const script =
    "i=0; while [ $i -lt 600 ]; do i=$((i+1)); echo line-$i-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; [ $((i % 20)) = 0 ] && sleep 0.02; done";
  const { id } = await subject.runtime.startContainer(await specOf(subject.runtime, script), signal);

  const text = await textOf(subject.runtime.logs(id, { follow: true, timestamps: false, signal }));

  const lines = text.trim().split("\n");
  assert.deepEqual(
    lines.map((line) => Number(line.split("-")[1])),
    Array.from({ length: 600 }, (_, index) => index + 1),
  );
  const kept = await textOf(subject.runtime.logs(id, { follow: false, timestamps: false, signal }));
  assert.ok(kept.length < 60_000 && kept.endsWith(`${lines.at(-1)}\n`));
});

test("pods that change a shipped file's name or add files do not reach each other", async () => {
  await using subject = await open();
  await subject.addImage("registry.test/app:1", { Entrypoint: ["sh"], WorkingDir: "/app" }, [
    { name: "app/a", content: "a" },
  ]);
  const first = await subject.runtime.startContainer(await specOf(subject.runtime, "mv a b; echo c > c; ls"), signal);
  await ended(subject.runtime, first.id);
  const second = await subject.runtime.startContainer(await specOf(subject.runtime, "ls", { attempt: 1 }), signal);
  await ended(subject.runtime, second.id);

  assert.equal(await textOf(subject.runtime.logs(first.id, { follow: false, timestamps: false, signal })), "b\nc\n");
  assert.equal(await textOf(subject.runtime.logs(second.id, { follow: false, timestamps: false, signal })), "a\n");
});

test("a container's port refuses connections before it listens and answers after", async () => {
  await using subject = await open();
  await subject.source.add("registry.test/app:1", ...serverImage);
  const { args: _, ...spec } = await specOf(subject.runtime, "");
  const { id } = await subject.runtime.startContainer(spec, signal);
  await written(subject.runtime, id, "listening");
  const socket = createConnection(spec.network.ports["8080"] ?? 0, "127.0.0.1");
  await once(socket, "connect");
  socket.destroy();
});

/** Ended, or ended and not yet collected by its parent. */
async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    if (text === "" || /\) [ZX] /.test(text)) return;
    await systemClock.sleep(5, signal);
  }
  assert.fail(`process ${pid} still runs`);
}
