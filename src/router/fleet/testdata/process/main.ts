/** A control process to be killed: starts a router, gives it a table, says on which port, and waits. */
import { silentLog, systemClock } from "#lib";
import { tableFor } from "../../../testing.ts";
import { startRouters } from "../../fleet.ts";

const [folder = "", backendPort = ""] = process.argv.slice(2);
const signal = AbortSignal.timeout(60_000);
const routers = await startRouters({
  folder,
  count: 1,
  listen: { host: "127.0.0.1", port: 0 },
  nodePath: process.execPath,
  log: silentLog,
  clock: systemClock,
  drainMs: 2000,
  signal,
});
await routers.apply(tableFor(1000, [{ ports: [Number(backendPort)] }]), signal);
process.send?.(routers.port);
