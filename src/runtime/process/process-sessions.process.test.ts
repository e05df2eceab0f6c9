import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog, systemClock, systemIds } from "#lib";
import type { PodRuntime } from "../pod-runtime.ts";
import { pod, type RuntimeUnderTest, specOf, written } from "../runtime.cases.ts";
import { podSessionCases, seen, textOf } from "../sessions.cases.ts";
import { ImageSourceFake } from "../testing.ts";
import { openProcessRuntime } from "./open-process-runtime.ts";
import { processesWithEnvironment } from "./process-table.ts";

const signal = AbortSignal.timeout(120_000);
const withInput = { stdin: true, tty: false, signal } as const;

async function open(): Promise<RuntimeUnderTest & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "sessions-"));
  const source = new ImageSourceFake(join(folder, "blobs"));
  const options = {
    podsFolder: join(folder, "pods"),
    imagesFolder: join(folder, "images"),
    source,
    hostPath: process.env["PATH"] ?? "/usr/bin:/bin",
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
    signal,
  };
  const opened: PodRuntime[] = [await openProcessRuntime(options)];
  return {
    folder,
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

for (const { name, run } of podSessionCases(open)) test(name, run);

test("two hundred commands, half of them left in the middle, leave no file open and no process", async () => {
  await using subject = await open();
  const { runtime } = subject;
  await subject.addImage("registry.test/app:1", { Entrypoint: ["sh"] }, []);
  const { id } = await runtime.startContainer(await specOf(runtime, "echo up; sleep 60"), signal);
  await written(runtime, id, "up");
  const command = async (index: number): Promise<void> => {
    const tty = index % 10 === 0;
    const script = index % 2 === 0 ? "cat; sleep 63" : "echo out; echo err >&2";
    await using session = await runtime.openExec(id, ["sh", "-c", script], { stdin: true, tty, signal });
    session.stdin?.write("typed\n");
    if (index % 2 === 0) await seen(session.stdout, /typed/);
    else await Promise.all([textOf(session.stdout), textOf(session.stderr), session.exitCode]);
  };
  const openFiles = async (): Promise<number> => (await readdir("/proc/self/fd")).length;
  await command(0);
  await command(1);
  const before = await openFiles();
  for (let done = 0; done < 200; done += 8) await Promise.all(Array.from({ length: 8 }, (_, i) => command(done + i)));
  assert.ok((await openFiles()) <= before + 2, `${await openFiles()} files are open, ${before} were before`);
  const left = await processesWithEnvironment(`TIDEGATE_EXEC_OF=${join(subject.folder, "pods")}`);
  assert.deepEqual(left, []);
});

test("a command of a control process that died is ended by the next; the container runs on", async () => {
  await using subject = await open();
  await subject.addImage("registry.test/app:1", { Entrypoint: ["sh"] }, []);
  const { runtime } = subject;
  const { id } = await runtime.startContainer(await specOf(runtime, "echo up; sleep 60"), signal);
  await written(runtime, id, "up");
  const orphan = spawn("sleep", ["64"], { env: { TIDEGATE_EXEC_OF: join(subject.folder, "pods") }, detached: true });
  await once(orphan, "spawn");
  const ended = once(orphan, "exit");

  const after = await subject.reopen();

  assert.equal((await ended)[1], "SIGKILL");
  assert.equal(after.list(pod.uid)[0]?.state.kind, "running");
  await using session = await after.openExec(id, ["sh", "-c", "echo $HOSTNAME"], withInput);
  assert.equal(await textOf(session.stdout), "web-abc\n");
});

test("an input and a terminal outlive who started the container", async () => {
  await using subject = await open();
  await subject.addImage("registry.test/app:1", { Entrypoint: ["sh"] }, []);
  const spec = await specOf(subject.runtime, "echo up; while read line; do echo got $line; done", {
    stdin: "kept",
    tty: true,
  });
  const { id } = await subject.runtime.startContainer(spec, signal);
  await written(subject.runtime, id, "up");

  const runtime = await subject.reopen();

  for (const word of ["first", "second"]) {
    await using session = await runtime.attach(id, { stdin: true, tty: true, signal });
    session.stdin?.write(`${word}\n`);
    await seen(session.stdout, new RegExp(`got ${word}`));
  }
});

test("an archive of an absolute path of the image, or of a volume, has the names that were asked for", async () => {
  await using subject = await open();
  const { runtime } = subject;
  await subject.addImage("registry.test/app:1", { Entrypoint: ["sh"] }, [{ name: "app/data/a.txt", content: "a\n" }]);
  await runtime.preparePod({ pod, ports: [] }, signal);
  await runtime.writeVolume(pod.uid, { name: "v", files: new Map([["b.txt", Buffer.from("b\n")]]) }, signal);
  const spec = await specOf(runtime, "echo up; sleep 60", { mounts: [{ volume: "v", mountPath: "/config" }] });
  const { id } = await runtime.startContainer(spec, signal);
  await written(runtime, id, "up");
  const names = async (path: string): Promise<string> => {
    await using session = await runtime.openExec(id, ["tar", "cf", "-", path], { ...withInput, stdin: false });
    const list = spawn("tar", ["tf", "-"], { stdio: ["pipe", "pipe", "inherit"] });
    session.stdout.pipe(list.stdin);
    return await textOf(list.stdout);
  };
  assert.equal(await names("/app/data"), "app/data/\napp/data/a.txt\n");
  assert.match(await names("/config"), /^config\/\.\/(?:b\.txt)?$/m);
});
