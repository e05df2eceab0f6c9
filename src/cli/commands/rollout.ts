import type { Command } from "commander";
import type { RolloutAction, RolloutDetail, RolloutSummary } from "#api";
import { systemClock } from "#lib";
import { command, type GlobalOptions, openSession, type Session } from "../command.ts";
import { ago, paint, print, printJson, status, table } from "../output.ts";

interface RolloutOptions extends GlobalOptions {
  readonly namespace: string;
  readonly watch?: boolean;
  readonly full?: boolean;
  readonly toRevision?: string;
}

export function rolloutCommand(): Command {
  const rollout = command("rollout", "Look at rollouts and steer them", [
    "tidegate rollout list",
    "tidegate rollout get shop -n production --watch",
    "tidegate rollout promote shop -n production",
    "tidegate rollout abort shop -n production",
  ]);
  rollout.addCommand(command("list", "List rollouts", ["tidegate rollout list"]).action(list));
  rollout.addCommand(
    named("get", "Show a rollout: steps, weights, revisions, analyses", "tidegate rollout get shop -n production")
      .option("-w, --watch", "show it again whenever it changes")
      .action(get),
  );
  rollout.addCommand(
    named("promote", "End a pause or skip the current step", "tidegate rollout promote shop -n production --full")
      .option("--full", "skip all remaining steps and analyses")
      .action((name: string, options: RolloutOptions) =>
        act(name, options.full === true ? "promote-full" : "promote", options),
      ),
  );
  const simple = {
    abort: "Return all traffic to the stable revision",
    retry: "Start an aborted update again",
    pause: "Hold the rollout where it is",
    resume: "End every pause without skipping a step",
    restart: "Replace all pods",
  } as const;
  for (const [action, text] of Object.entries(simple)) {
    rollout.addCommand(
      named(action, text, `tidegate rollout ${action} shop -n production`).action(
        (name: string, options: RolloutOptions) => act(name, action as RolloutAction, options),
      ),
    );
  }
  rollout.addCommand(
    named(
      "undo",
      "Go back to the template of an earlier revision",
      "tidegate rollout undo shop -n production --to-revision 3",
    )
      .option("--to-revision <number>", "revision to go back to (default: the one before)")
      .action((name: string, options: RolloutOptions) => act(name, "undo", options)),
  );
  return rollout;
}

function named(name: string, description: string, example: string): Command {
  return command(name, description, [example])
    .argument("<rollout>", "name of the rollout")
    .option("-n, --namespace <namespace>", "its namespace", "default");
}

async function list(options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const { items } = await client.api<{ items: RolloutSummary[] }>("/rollouts");
  if (options.json === true) {
    printJson(items);
    return;
  }
  const rows = items.map((item) => [
    item.namespace,
    item.name,
    "Canary",
    status(item.phase),
    `${item.stepIndex}/${item.stepCount}`,
    `${item.setWeight}`,
    `${item.ready}/${item.current}`,
    `${item.desired}`,
    `${item.updated}`,
    `${item.available}`,
  ]);
  const header = [
    "namespace",
    "name",
    "strategy",
    "status",
    "step",
    "set-weight",
    "ready",
    "desired",
    "up-to-date",
    "available",
  ];
  print(table(header, rows));
}

async function get(name: string, options: RolloutOptions): Promise<void> {
  const session = await openSession(options);
  const path = `/rollouts/${encodeURIComponent(options.namespace)}/${encodeURIComponent(name)}`;
  if (options.watch !== true) {
    await show(session, path);
    return;
  }
  for await (const _change of session.client.changes(["rollouts"], session.signal)) await show(session, path);
}

async function show(session: Session, path: string): Promise<void> {
  const detail = await session.client.api<RolloutDetail>(path);
  if (session.json === true) {
    printJson(detail);
    return;
  }
  const line = (label: string, value: string): void => print(`${`${label}:`.padEnd(17)}${value}`);
  line("Name", detail.name);
  line("Namespace", detail.namespace);
  line("Status", `${icon(detail.phase)} ${status(detail.phase)}`);
  if (detail.message !== "") line("Message", detail.message);
  line("Strategy", "Canary");
  line("  Step", `${detail.stepIndex}/${detail.stepCount}`);
  line("  SetWeight", String(detail.setWeight));
  line("  ActualWeight", String(detail.actualWeight));
  for (const { image, roles } of detail.images)
    line("Images", `${image}${roles.length === 0 ? "" : ` (${roles.join(", ")})`}`);
  print("Replicas:");
  for (const key of ["desired", "current", "updated", "ready", "available"] as const) {
    line(`  ${key[0]?.toUpperCase() ?? ""}${key.slice(1)}`, String(detail[key]));
  }
  print(`\n${tree(detail)}\n`);
}

function icon(phase: string): string {
  if (phase === "Healthy") return paint("✔", "green");
  if (phase === "Degraded") return paint("✖", "red");
  return phase === "Paused" ? "॥" : "◌";
}

/** The rollout with its revisions, pods and analyses, drawn as `kubectl argo rollouts get` draws it. */
function tree(detail: RolloutDetail): string {
  const now = systemClock.now();
  const rows: string[][] = [[`⟳ ${detail.name}`, "Rollout", `${icon(detail.phase)} ${detail.phase}`, "", ""]];
  detail.revisions.forEach((revision, index) => {
    const last = index === detail.revisions.length - 1;
    const bar = last ? "   " : "│  ";
    rows.push([`${last ? "└──" : "├──"}# revision:${revision.revision}`, "", "", "", ""]);
    const runs = detail.analysisRuns.filter((run) => run.podHash === revision.podHash);
    const age = ago(revision.createdAt, now);
    const state =
      revision.desired === 0 ? "• ScaledDown" : revision.available >= revision.desired ? "✔ Healthy" : "◌ Progressing";
    rows.push([
      `${bar}${runs.length === 0 ? "└──" : "├──"}⧉ ${revision.replicaSet}`,
      "ReplicaSet",
      state,
      age,
      revision.roles.join(","),
    ]);
    revision.pods.forEach((pod, at) => {
      const branch = at === revision.pods.length - 1 ? "└──" : "├──";
      const info = `ready:${pod.ready ? "1/1" : "0/1"}${pod.restarts === 0 ? "" : `,restarts:${pod.restarts}`}`;
      rows.push([
        `${bar}${runs.length === 0 ? "   " : "│  "}${branch}□ ${pod.name}`,
        "Pod",
        `${pod.ready ? "✔" : "◌"} ${pod.phase}`,
        age,
        info,
      ]);
    });
    runs.forEach((run, at) => {
      const branch = at === runs.length - 1 ? "└──" : "├──";
      const mark = run.phase === "Successful" ? "✔" : run.phase === "Running" ? "◌" : "✖";
      rows.push([
        `${bar}${branch}α ${run.name}`,
        "AnalysisRun",
        `${mark} ${run.phase}`,
        ago(run.startedAt, now),
        counts(run),
      ]);
    });
  });
  return table(["name", "kind", "status", "age", "info"], rows);
}

function counts(run: RolloutDetail["analysisRuns"][number]): string {
  const marks = { Successful: "✔", Failed: "✖", Inconclusive: "?", Error: "⚠" } as const;
  const all = run.metrics.flatMap((metric) => metric.measurements);
  return Object.entries(marks)
    .map(([phase, mark]) => [mark, all.filter((measurement) => measurement.phase === phase).length] as const)
    .filter(([, count]) => count > 0)
    .map(([mark, count]) => `${mark} ${count}`)
    .join(",");
}

async function act(name: string, action: RolloutAction, options: RolloutOptions): Promise<void> {
  const { client } = await openSession(options);
  const path = `/rollouts/${encodeURIComponent(options.namespace)}/${encodeURIComponent(name)}/${action}`;
  const body = options.toRevision === undefined ? {} : { toRevision: Number(options.toRevision) };
  const { message } = await client.api<{ message: string }>(path, { method: "POST", body });
  if (options.json === true) printJson({ message });
  else print(message);
}
