import type { Command } from "commander";
import { command, type GlobalOptions, openSession } from "../command.ts";
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
  const { client } = await openSession(options);
  const dataPlane = options.keepTraffic !== true;
  await client.api("/system/stop", { method: "POST", body: { dataPlane } });
  if (options.json === true) printJson({ stopped: dataPlane ? "all" : "control" });
  else print(dataPlane ? "Everything stops." : "The control plane stops; traffic keeps flowing.");
}
