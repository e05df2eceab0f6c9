import type { Command } from "commander";
import { systemClock, systemIds } from "#lib";
import { processLog, readConfig, supervise } from "#server";
import { type Client, connect } from "../client.ts";
import { command, type GlobalOptions } from "../command.ts";
import { CliError } from "../errors.ts";
import { print, printJson } from "../output.ts";
import { stopEverything } from "../stop-everything.ts";

export function downCommand(): Command {
  return command("down", "Stop everything, the pods and the traffic router too", [
    "tidegate down",
    "tidegate down --keep-traffic   # only the control plane",
  ])
    .option("--keep-traffic", "leave router and pods running")
    .action(down);
}

async function down(options: GlobalOptions & { readonly keepTraffic?: boolean }): Promise<void> {
  const dataPlane = options.keepTraffic !== true;
  const client = await reachable(options);
  if (client !== undefined) await client.api("/system/stop", { method: "POST", body: { dataPlane } });
  else if (dataPlane) await stopLeftovers(options);
  if (options.json === true) printJson({ stopped: dataPlane ? "all" : "control" });
  else print(dataPlane ? "Everything stops." : "The control plane stops; traffic keeps flowing.");
}

/** A control process that died a moment ago is on its way up again where a supervisor is; it gets time to arrive. */
const restartMs = 2_000;
const againMs = 50;

async function reachable(options: GlobalOptions): Promise<Client | undefined> {
  const client = await connect(options.home);
  const patience = AbortSignal.timeout(restartMs);
  for (;;) {
    try {
      await client.request("/healthz");
      return client;
    } catch (error) {
      if (!(error instanceof CliError) || error.code !== "cli/not-running") throw error;
      if (patience.aborted) return undefined;
    }
    await systemClock.sleep(againMs, patience).catch(() => {});
  }
}

/** Only the control process knows routers and pods, so it is started for a moment to end them. */
async function stopLeftovers(options: GlobalOptions): Promise<void> {
  // Port 0: where it listened before, so that the router that runs is adopted whatever port it has.
  const config = readConfig({
    jobs: 0,
    port: 0,
    trafficPort: 0,
    ...(options.home === undefined ? {} : { home: options.home }),
  });
  const log = processLog({ ...config, logLevel: "error" }, "down");
  await using supervisor = await supervise({ config, clock: systemClock, ids: systemIds, log, controlLog: "file" });
  const client = await connect(options.home);
  await stopEverything(client, supervisor.ended, systemClock);
}
