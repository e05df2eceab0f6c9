/**
 * The control process: opens what is durable, adopts what runs, wires every room's ports to the others and lets the
 * loops go on from there. The only place where rooms meet.
 */
import { type Log, systemClock, systemIds, TaskGroup, toTimestamp } from "#lib";
import type { Config } from "./config.ts";
import { takeControlLock } from "./control-lock.ts";
import { type Endpoints, makeHome, writeEndpoints } from "./home.ts";
import { listen } from "./listen.ts";
import { startLoops } from "./loops.ts";
import { openRooms } from "./rooms.ts";

export interface Control extends AsyncDisposable {
  readonly endpoints: Endpoints;
  /** Resolves when the signal aborts or somebody asked for the end. */
  stopped(signal: AbortSignal): Promise<void>;
}

/** Routers drain for up to 30 s and pods have their grace; what is not done then is left to the next start. */
const stopDataPlaneMs = 60_000;

export async function startControl(config: Config, log: Log): Promise<Control> {
  await using owned = new AsyncDisposableStack();
  const home = await makeHome(config.home);
  owned.use(await takeControlLock(home.lock, systemClock));
  const tasks = owned.use(new TaskGroup((error, name) => log.error("A background task failed", { name, error })));
  const context = {
    config,
    home,
    log,
    clock: systemClock,
    ids: systemIds,
    tasks,
    signal: tasks.signal,
    startedAt: toTimestamp(systemClock.now()),
  };
  const rooms = await openRooms(context, owned);
  const stop = Promise.withResolvers<boolean>();
  const endpoints = await listen(context, rooms, (dataPlane) => stop.resolve(dataPlane), owned);
  await writeEndpoints(home, endpoints);
  await startLoops(context, rooms, owned);
  log.info("Ready", { control: endpoints.controlPort, traffic: endpoints.trafficPort, home: home.folder });
  const parts = owned.move();
  return {
    endpoints,
    async stopped(signal) {
      const asked = new Promise<boolean>((resolve) => {
        signal.addEventListener("abort", () => resolve(false), { once: true });
        if (signal.aborted) resolve(false);
      });
      if (!(await Promise.race([stop.promise, asked]))) return;
      await tasks[Symbol.asyncDispose]();
      await rooms.stopDataPlane(AbortSignal.timeout(stopDataPlaneMs));
    },
    async [Symbol.asyncDispose]() {
      // Loops first: none may find a room closed, or start again what another is stopping.
      await tasks[Symbol.asyncDispose]();
      await parts.disposeAsync();
    },
  };
}
