import type { Command } from "commander";
import type { DeliveryView, SystemStatus } from "#api";
import { systemClock } from "#lib";
import { command, type GlobalOptions, openSession } from "../command.ts";
import { ago, paint, print, printJson, status as statusWord, table } from "../output.ts";

export function statusCommand(): Command {
  return command("status", "What runs, and what is on its way to production", [
    "tidegate status",
    "tidegate status --json",
  ])
    .option("--limit <number>", "deliveries to show", "10")
    .action(status);
}

async function status(options: GlobalOptions & { readonly limit: string }): Promise<void> {
  const { client } = await openSession(options);
  const system = await client.api<SystemStatus>("/status");
  const { items } = await client.api<{ items: DeliveryView[] }>(`/deliveries?limit=${Number(options.limit) || 10}`);
  if (options.json === true) {
    printJson({ ...system, deliveries: items });
    return;
  }
  const now = systemClock.now();
  print(`${paint("Tidegate", "bold")} ${system.version}, up for ${ago(system.startedAt, now)}`);
  print(`  console  ${system.addresses.control}`);
  print(`  traffic  ${system.addresses.traffic}`);
  print(`  pods     ${system.pods.ready} of ${system.pods.total} ready`);
  const processes = system.processes.map(({ name, pid, label, state }) =>
    // A runner may be on another machine: it tells its name and no pid.
    [name, label ?? (pid === undefined ? "" : `(pid ${pid})`), statusWord(state)].join(" "),
  );
  print(`  parts    ${processes.join(", ")}\n`);
  if (items.length === 0) {
    print('No deliveries yet: push a repository with a workflow, or run "tidegate init".');
    return;
  }
  const rows = items.map((item) => [
    item.repository,
    item.sha.slice(0, 7),
    statusWord(item.outcome),
    stageText(item),
    `${item.weight} %`,
    ago(item.pushedAt, now),
    item.message.slice(0, 50),
  ]);
  print(table(["repository", "commit", "outcome", "stage", "traffic", "age", "message"], rows));
}

function stageText(item: DeliveryView): string {
  const current = item.stages.find((stage) => ["running", "paused", "failed"].includes(stage.state));
  if (current !== undefined) return shorten(`${current.name}: ${current.detail || current.state}`);
  return item.stages.findLast((stage) => stage.state === "done")?.name ?? "-";
}

/** The whole text is on `tidegate trace` and in `--json`; a table row has to stay one line. */
function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
