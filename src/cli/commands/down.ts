import type { Command } from "commander";
import { systemClock, systemIds } from "#lib";
import { processLog, readConfig, supervise } from "#server";
import { type Client, connect } from "../client.ts";
import { command, type GlobalOptions } from "../command.ts";
import { CliError } from "../errors.ts";
import { print, printJson } from "../output.ts";

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

async function reachable(options: GlobalOptions): Promise<Client | undefined> {
  const client = await connect(options.home);
  try {
    await client.request("/healthz");
    return client;
  } catch (error) {
    if (error instanceof CliError && error.code === "cli/not-running") return undefined;
    throw error;
  }
}

/** Only the control process knows routers and pods, so it is started for a moment to end them. */
async function stopLeftovers(options: GlobalOptions): Promise<void> {
  const config = readConfig({ jobs: 0, ...(options.home === undefined ? {} : { home: options.home }) });
  const log = processLog({ ...config, logLevel: "error" }, "down");
  await using supervisor = await supervise({ config, clock: systemClock, ids: systemIds, log, controlLog: "file" });
  const client = await connect(options.home);
  await client.api("/system/stop", { method: "POST", body: { dataPlane: true } });
  await supervisor.ended;
}
