import type { Command } from "commander";
import type { ApplicationDetail, ApplicationSummary, ResourceDiff, ResourceNode } from "#api";
import { command, type GlobalOptions, openSession, type Session } from "../command.ts";
import { CliError } from "../errors.ts";
import { paint, print, printJson, status, table } from "../output.ts";

interface AppOptions extends GlobalOptions {
  readonly namespace: string;
}

export function appsCommand(): Command {
  const apps = command("apps", "List applications, or show one", [
    "tidegate apps",
    "tidegate apps shop",
    "tidegate apps diff shop",
    "tidegate apps rollback shop --id 3",
  ])
    .argument("[application]")
    .option("-n, --namespace <namespace>", "its namespace", "argocd")
    .action(show);
  apps.addCommand(
    command("diff", "Show how the live objects differ from git; exit code 1 when they do", ["tidegate apps diff shop"])
      .argument("<application>")
      .option("-n, --namespace <namespace>", "its namespace", "argocd")
      .action(diff),
  );
  apps.addCommand(
    command("rollback", "Sync to a revision of the history", ["tidegate apps rollback shop --id 3"])
      .argument("<application>")
      .requiredOption("--id <number>", "entry of the history")
      .option("-n, --namespace <namespace>", "its namespace", "argocd")
      .action(rollback),
  );
  return apps;
}

export function syncCommand(): Command {
  return command("sync", "Bring an application to what git says, and wait for it", [
    "tidegate sync shop",
    "tidegate sync shop --prune --revision 1a2b3c4",
  ])
    .argument("<application>")
    .option("-n, --namespace <namespace>", "its namespace", "argocd")
    .option("--revision <revision>", "another revision than the one it follows")
    .option("--prune", "delete what is not in git any more")
    .option("--dry-run", "only say what would happen")
    .option("--timeout <seconds>", "give up after this long", "300")
    .action(sync);
}

async function show(name: string | undefined, options: AppOptions): Promise<void> {
  const { client } = await openSession(options);
  if (name !== undefined) {
    const detail = await client.api<ApplicationDetail>(pathOf(name, options));
    if (options.json === true) printJson(detail);
    else printApplication(detail);
    return;
  }
  const { items } = await client.api<{ items: ApplicationSummary[] }>("/applications");
  if (options.json === true) {
    printJson(items);
    return;
  }
  const rows = items.map((item) => [
    item.name,
    status(item.sync),
    status(item.health),
    item.revision?.slice(0, 7) ?? "-",
    item.destinationNamespace,
    item.automated ? "auto" : "manual",
    `${item.repoURL} ${item.path}`,
  ]);
  print(table(["name", "sync", "health", "revision", "namespace", "policy", "source"], rows));
}

function pathOf(name: string, options: AppOptions): string {
  return `/applications/${encodeURIComponent(options.namespace)}/${encodeURIComponent(name)}`;
}

function printApplication(detail: ApplicationDetail): void {
  print(`${paint(detail.name, "bold")}  ${status(detail.sync)}  ${status(detail.health)}`);
  print(`  source    ${detail.repoURL} ${detail.path} @ ${detail.targetRevision}`);
  print(`  revision  ${detail.revision ?? "-"}`);
  if (detail.operationPhase !== undefined)
    print(`  operation ${status(detail.operationPhase)} ${detail.operationMessage ?? ""}`);
  for (const condition of detail.conditions) print(`  ${paint(condition.type, "red")}: ${condition.message}`);
  print("");
  const roots = detail.tree.filter((node) => node.parentUid === undefined);
  for (const root of roots) printNode(detail.tree, root, 0);
  if (detail.history.length === 0) return;
  print(
    `\n${table(
      ["id", "revision", "deployed"],
      detail.history.map((entry) => [String(entry.id), entry.revision.slice(0, 7), entry.deployedAt]),
    )}`,
  );
}

function printNode(tree: readonly ResourceNode[], node: ResourceNode, depth: number): void {
  const words = [node.sync, node.health].filter((word) => word !== undefined).map(status);
  print(`${"  ".repeat(depth)}${node.kind}/${node.name}  ${[...words, ...node.info].join("  ")}`);
  for (const child of tree.filter((other) => other.parentUid === node.uid)) printNode(tree, child, depth + 1);
}

async function diff(name: string, options: AppOptions): Promise<void> {
  const { client } = await openSession(options);
  const { items } = await client.api<{ items: ResourceDiff[] }>(`${pathOf(name, options)}/diff`);
  const changed = items.filter((item) => item.change !== "none");
  if (options.json === true) printJson(changed);
  else for (const item of changed) printDiff(item);
  if (changed.length > 0) process.exitCode = 1;
}

function printDiff(item: ResourceDiff): void {
  print(paint(`--- ${item.kind} ${item.namespace}/${item.name} (${item.change})`, "bold"));
  const live = item.live.split("\n");
  const target = item.target.split("\n");
  for (const line of live) if (!target.includes(line)) print(paint(`- ${line}`, "red"));
  for (const line of target) if (!live.includes(line)) print(paint(`+ ${line}`, "green"));
}

async function rollback(name: string, options: AppOptions & { readonly id: string }): Promise<void> {
  const { client } = await openSession(options);
  const result = await client.api<{ message: string }>(`${pathOf(name, options)}/rollback`, {
    method: "POST",
    body: { id: Number(options.id) },
  });
  if (options.json === true) printJson(result);
  else print(result.message);
}

interface SyncOptions extends AppOptions {
  readonly revision?: string;
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  readonly timeout: string;
}

async function sync(name: string, options: SyncOptions): Promise<void> {
  const session = await openSession(options);
  const { revision, prune = false, dryRun = false } = options;
  const body = { prune, dryRun, ...(revision === undefined ? {} : { revision }) };
  await session.client.api(`${pathOf(name, options)}/sync`, { method: "POST", body });
  const done = await waitForOperation(session, name, options);
  if (options.json === true) printJson(done);
  else print(`${status(done.operationPhase ?? "Unknown")} ${done.operationMessage ?? ""}`.trimEnd());
  if (done.operationPhase !== "Succeeded") process.exitCode = 1;
}

/** What was asked for is seen at once, so an operation that is neither asked for nor running is over. */
async function waitForOperation(session: Session, name: string, options: SyncOptions): Promise<ApplicationDetail> {
  const timeoutMs = Number(options.timeout) * 1000;
  const deadline = AbortSignal.any([session.signal, AbortSignal.timeout(timeoutMs)]);
  try {
    for await (const _change of session.client.changes(["applications"], deadline)) {
      const now = await session.client.api<ApplicationDetail>(pathOf(name, options), { signal: deadline });
      const { operationPending, operationPhase = "Running" } = now;
      if (!operationPending && operationPhase !== "Running" && operationPhase !== "Terminating") return now;
    }
  } catch (error) {
    if (session.signal.aborted || !deadline.aborted) throw error;
  }
  const message = `The sync did not end within ${options.timeout} s; look with: tidegate apps ${name}`;
  throw new CliError("cli/failed", message);
}
