import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { EngineClient, findEngine } from "#engine";
import { silentLog, systemClock, systemIds } from "#lib";
import type { PodRuntime } from "../pod-runtime.ts";
import { podRuntimeCases, type RuntimeUnderTest } from "../runtime.cases.ts";
import { podSessionCases } from "../sessions.cases.ts";
import { busyboxFiles, ImageSourceFake } from "../testing.ts";
import { openDockerRuntime } from "./open-docker-runtime.ts";

const signal = AbortSignal.timeout(240_000);

/** The engine of this machine, or why there is none. */
async function engineHere(): Promise<EngineClient | string> {
  try {
    return await EngineClient.connect(
      findEngine(process.env["TIDEGATE_TEST_ENGINE"] ?? process.env["DOCKER_HOST"]),
      AbortSignal.timeout(5000),
    );
  } catch (error) {
    return (error as Error).message;
  }
}

const engine = await engineHere();
const programs = busyboxFiles();
const skip = typeof engine === "string" ? engine : typeof programs === "string" ? programs : false;

async function open(): Promise<RuntimeUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), "docker-runtime-"));
  const source = new ImageSourceFake(join(folder, "blobs"));
  assert.ok(typeof engine !== "string" && typeof programs !== "string");
  const options = {
    address: engine.address,
    folder: join(folder, "docker"),
    source,
    allowPrivileged: false,
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
    signal,
  };
  const opened: PodRuntime[] = [await openDockerRuntime(options)];
  return {
    runtime: opened[0] as PodRuntime,
    addImage: async (reference, config, files) => void (await source.add(reference, config, [programs, files])),
    async reopen() {
      await opened.at(-1)?.[Symbol.asyncDispose]();
      const next = await openDockerRuntime(options);
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
