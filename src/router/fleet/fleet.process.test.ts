import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { errorCode, readFileIfExists, silentLog, systemClock } from "#lib";
import { ask, listenOn, portOf, startBackend, tableFor } from "../testing.ts";
import { isSame, type ProcessIdentity } from "./process-identity.ts";
import { startRouters, type Routers, type RoutersOptions } from "./fleet.ts";

const signal = AbortSignal.timeout(60_000);

function options(folder: string, change: Partial<RoutersOptions> = {}): RoutersOptions {
  const listen = { host: "127.0.0.1", port: 0 };
  return {
    folder,
    count: 1,
    listen,
    nodePath: process.execPath,
    log: silentLog,
    clock: systemClock,
    drainMs: 2000,
    signal,
    ...change,
  };
}

/** No router outlives the test, however it ends. */
async function withFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "router-"));
  try {
    await act(folder);
  } finally {
    for (const entry of await readdir(folder)) {
      const pid = entry.startsWith("router-") ? await recordedPid(join(folder, entry, "process.json")) : undefined;
      if (pid !== undefined) process.kill(pid, "SIGKILL");
    }
    await rm(folder, { recursive: true, force: true });
  }
}

async function recordedPid(file: string): Promise<number | undefined> {
  const text = await readFileIfExists(file);
  const known = text === undefined ? undefined : (JSON.parse(text) as ProcessIdentity);
  return known !== undefined && (await isSame(known)) ? known.pid : undefined;
}

async function pids(routers: Routers): Promise<readonly number[]> {
  return (await routers.status(signal)).map((status) => status.pid);
}

/** Answers as soon as the port is served again. */
async function askUntilServed(port: number): Promise<number> {
  for (;;) {
    try {
      return (await ask(port)).status;
    } catch {
      await systemClock.sleep(20, signal);
    }
  }
}

test("routers outlive the control side, keep port and table, and are adopted by the next one", async () => {
  await withFolder(async (folder) => {
    await using backend = await startBackend((_request, response) => response.end("hello"));
    const first = await startRouters(options(folder, { count: 2 }));
    await first.apply(tableFor(7, [{ ports: [backend.port] }]), signal);
    const before = await pids(first);
    await first[Symbol.asyncDispose]();
    assert.equal((await ask(first.port)).body, "hello");

    const second = await startRouters(options(folder, { count: 2 }));
    assert.equal(second.port, first.port);
    assert.deepEqual(await pids(second), before);
    // A new control process counts from the start; its first table is accepted although the number is lower.
    await second.apply(tableFor(1, []), signal);
    assert.deepEqual(
      (await second.status(signal)).map((status) => status.generation),
      [1, 1],
    );
    assert.equal((await ask(second.port)).status, 503);
    await second.stop();
    await assert.rejects(ask(second.port), { code: "ECONNREFUSED" });
  });
});

test("a router that is killed is started again on its port, with its table, without the control side's help", async () => {
  await withFolder(async (folder) => {
    await using backend = await startBackend((_request, response) => response.end("hello"));
    const routers = await startRouters(options(folder));
    await routers.apply(tableFor(1, [{ ports: [backend.port] }]), signal);
    const [pid = 0] = await pids(routers);
    process.kill(pid, "SIGKILL");
    assert.equal(await askUntilServed(routers.port), 200);
    await routers.apply(tableFor(2, [{ ports: [backend.port] }]), signal);
    const [status] = await routers.status(signal);
    assert.notEqual(status?.pid, pid);
    assert.equal(status?.generation, 2);
    await routers.stop();
  });
});

test("a router told to end finishes its request while its successor serves the same port", async () => {
  await withFolder(async (folder) => {
    const arrived = Promise.withResolvers<() => void>();
    await using backend = await startBackend((incoming, response) => {
      if (incoming.url === "/slow") arrived.resolve(() => response.end("slow"));
      else response.end("fast");
    });
    const routers = await startRouters(options(folder, { drainMs: 20_000 }));
    await routers.apply(tableFor(1, [{ ports: [backend.port] }]), signal);
    const slow = ask(routers.port, { path: "/slow" });
    const finish = await arrived.promise;
    const [pid = 0] = await pids(routers);
    process.kill(pid, "SIGTERM");
    assert.equal(await askUntilServed(routers.port), 200);
    assert.notEqual((await pids(routers))[0], pid);
    finish();
    assert.equal((await slow).body, "slow");
    await routers.stop();
  });
});

test("routers on another port than wanted are replaced", async () => {
  await withFolder(async (folder) => {
    const first = await startRouters(options(folder));
    await first[Symbol.asyncDispose]();
    const probe = createServer();
    await listenOn(probe);
    const port = portOf(probe);
    probe.close();
    await once(probe, "close");
    const second = await startRouters(options(folder, { listen: { host: "127.0.0.1", port } }));
    assert.equal(second.port, port);
    await assert.rejects(ask(first.port), { code: "ECONNREFUSED" });
    await second.stop();
  });
});

test("drained waits for the last request on a removed endpoint", async () => {
  await withFolder(async (folder) => {
    const arrived = Promise.withResolvers<() => void>();
    await using slow = await startBackend((_request, response) => arrived.resolve(() => response.end("late")));
    await using other = await startBackend((_request, response) => response.end("other"));
    const routers = await startRouters(options(folder));
    await routers.apply(tableFor(1, [{ ports: [slow.port] }]), signal);
    const answer = ask(routers.port);
    const finish = await arrived.promise;
    await routers.apply(tableFor(2, [{ ports: [other.port] }]), signal);
    assert.equal((await ask(routers.port)).body, "other");

    let drained = false;
    const waiting = routers.drained(`127.0.0.1:${slow.port}`, signal).then(() => (drained = true));
    const [status] = await routers.status(signal);
    assert.deepEqual(status?.draining, { [`127.0.0.1:${slow.port}`]: 1 });
    assert.equal(drained, false);
    finish();
    assert.equal((await answer).body, "late");
    await waiting;
    assert.match((await routers.metrics(signal)).join(""), /requests_total\{.*code="200"\} 2/);
    await routers.stop();
  });
});

test("a port that another program has is refused with a reason", async () => {
  await withFolder(async (folder) => {
    const taken = createServer();
    await listenOn(taken);
    const listen = { host: "127.0.0.1", port: portOf(taken) };
    await assert.rejects(
      startRouters(options(folder, { listen })),
      (error) => errorCode(error) === "router/port-taken",
    );
    taken.close();
  });
});

test("no request fails while the control process is killed and a new one takes over", async () => {
  await withFolder(async (folder) => {
    await using backend = await startBackend((_request, response) => response.end("hello"));
    const control = spawn(
      process.execPath,
      [join(import.meta.dirname, "testdata", "process", "main.ts"), folder, String(backend.port)],
      { stdio: ["ignore", "inherit", "inherit", "ipc"] },
    );
    const [port] = (await once(control, "message")) as [number];
    const failures: unknown[] = [];
    const over = new AbortController();
    let answered = 0;
    const load = Array.from({ length: 8 }, async () => {
      while (!over.signal.aborted) {
        try {
          const { status } = await ask(port);
          if (status === 200) answered++;
          else failures.push(status);
        } catch (error) {
          failures.push(error);
        }
      }
    });
    control.kill("SIGKILL");
    await once(control, "exit");
    const routers = await startRouters(options(folder));
    assert.equal(routers.port, port);
    for (let generation = 1; generation <= 10; generation++)
      await routers.apply(tableFor(generation, [{ ports: [backend.port] }]), signal);
    over.abort();
    await Promise.all(load);
    assert.deepEqual(failures, []);
    assert.ok(answered > 50, `only ${answered} requests`);
    await routers.stop();
  });
});
