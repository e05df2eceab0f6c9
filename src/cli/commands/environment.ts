import type { Command } from "commander";
import type { DeploymentSummary, EnvironmentSettings, EnvironmentSummary, SecretView } from "#api";
import { systemClock } from "#lib";
import { command, type GlobalOptions, openSession } from "../command.ts";
import { CliError } from "../errors.ts";
import { ago, print, printJson, status, table } from "../output.ts";

export function environmentCommand(): Command {
  const environment = command("environment", "Protect what workflows deploy to: reviewers, wait timers, branches", [
    "tidegate environment list acme/shop",
    "tidegate environment set acme/shop production --reviewer ada --reviewer team:platform --branch main",
    "tidegate environment show acme/shop production",
  ]);
  environment.addCommand(
    command("list", "List environments and what was deployed to them last", ["tidegate environment list acme/shop"])
      .argument("[owner/repo]", "only those of this repository")
      .action(list),
  );
  environment.addCommand(
    command("show", "Show the rules of an environment, its secrets by name, and its deployments", [
      "tidegate environment show acme/shop production",
    ])
      .argument("<owner/repo>")
      .argument("<name>")
      .action(show),
  );
  environment.addCommand(setCommand());
  environment.addCommand(
    command("delete", "Delete an environment with its secrets and variables; jobs that wait for it fail", [
      "tidegate environment delete acme/shop staging",
    ])
      .argument("<owner/repo>")
      .argument("<name>")
      .action(remove),
  );
  return environment;
}

function setCommand(): Command {
  return command("set", "Create an environment or change its rules; what is not named stays", [
    "tidegate environment set acme/shop production --reviewer ada --prevent-self-review",
    "tidegate environment set acme/shop production --wait-timer 30 --branch main --branch 'release/*' --tag 'v*'",
    "tidegate environment set acme/shop staging --no-reviewers --any-branch",
  ])
    .argument("<owner/repo>")
    .argument("<name>")
    .option("--reviewer <name>", "who may approve: a token's or user's name, or team:<group>; repeatable", collect)
    .option("--no-reviewers", "nobody has to approve")
    .option("--prevent-self-review", "who started a run may not approve it")
    .option("--no-prevent-self-review", "who started a run may approve it")
    .option("--wait-timer <minutes>", "how long a job waits before it begins; 0 for not at all")
    .option("--branch <pattern>", "branches that may deploy, e.g. release/*; repeatable", collect)
    .option("--tag <pattern>", "tags that may deploy, e.g. v*; repeatable", collect)
    .option("--protected-branches", "only protected branches may deploy")
    .option("--any-branch", "every branch and tag may deploy")
    .option("--admins-bypass", "administrators may pass the rules over, which is recorded")
    .option("--no-admins-bypass", "the rules hold for administrators too")
    .action(set);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function environmentsPath(repository: string, name?: string): string {
  const parts = repository.split("/");
  if (parts.length !== 2 || parts.includes("")) {
    throw new CliError("cli/usage", `"${repository}" is no repository: write owner/repo`);
  }
  const path = `/repositories/${parts.map(encodeURIComponent).join("/")}/environments`;
  return name === undefined ? path : `${path}/${encodeURIComponent(name)}`;
}

async function list(repository: string | undefined, options: GlobalOptions): Promise<void> {
  const path = repository === undefined ? "/environments" : environmentsPath(repository);
  const { client } = await openSession(options);
  const { items } = await client.api<{ items: EnvironmentSummary[] }>(path);
  if (options.json === true) {
    printJson(items);
    return;
  }
  const now = systemClock.now();
  const rows = items.map((one) => [
    one.repository,
    one.name,
    rulesText(one),
    one.latest === undefined ? "-" : status(one.latest.state),
    one.active === undefined ? "-" : `${one.active.sha.slice(0, 7)} (${shortRef(one.active.ref)})`,
    ago(one.latest?.updatedAt, now),
  ]);
  print(table(["repository", "environment", "rules", "latest", "active", "age"], rows));
}

function rulesText({ reviewers, waitMinutes, branchPolicy, branches, tags }: EnvironmentSettings): string {
  const parts = [
    ...(reviewers.length === 0 ? [] : [`review by ${reviewers.join(" or ")}`]),
    ...(waitMinutes === 0 ? [] : [`wait ${waitMinutes} min`]),
    ...(branchPolicy === "protected" ? ["protected branches"] : []),
    ...(branchPolicy === "selected" ? [`from ${[...branches, ...tags].join(", ") || "nowhere"}`] : []),
  ];
  return parts.join("; ") || "none";
}

function shortRef(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, "");
}

async function show(repository: string, name: string, options: GlobalOptions): Promise<void> {
  const path = environmentsPath(repository, name);
  const { client } = await openSession(options);
  const environment = await client.api<EnvironmentSummary>(path);
  const query = `environment=${encodeURIComponent(name)}`;
  const named = async <T>(kind: string): Promise<readonly T[]> =>
    (await client.api<{ items: T[] }>(`/${kind}/${environment.repository}?${query}`)).items;
  const secrets = (await named<SecretView>("secrets")).map((one) => one.name);
  const variables = (await named<SecretView>("variables")).map((one) => one.name);
  const { items: deployments } = await client.api<{ items: DeploymentSummary[] }>(
    `/repositories/${environment.repository}/deployments?${query}&limit=10`,
  );
  if (options.json === true) {
    printJson({ ...environment, secrets, variables, deployments });
    return;
  }
  const self = environment.preventSelfReview ? ", not of their own runs" : "";
  const facts = [
    ["reviewers", environment.reviewers.length === 0 ? "none" : `${environment.reviewers.join(", ")}${self}`],
    ["wait timer", environment.waitMinutes === 0 ? "none" : `${environment.waitMinutes} min`],
    ["deploys from", sourcesText(environment)],
    ["administrators", environment.adminsBypass ? "may pass the rules over" : "are bound by the rules"],
    ["secrets", secrets.join(", ") || "none"],
    ["variables", variables.join(", ") || "none"],
    ["changed", `${ago(environment.updatedAt, systemClock.now())} ago by ${environment.updatedBy}`],
  ];
  print(`${environment.name} of ${environment.repository}`);
  for (const [fact = "", value = ""] of facts) print(`  ${fact.padEnd(14)}  ${value}`);
  if (deployments.length > 0) print(`\n${deploymentTable(deployments)}`);
}

function sourcesText({ branchPolicy, branches, tags }: EnvironmentSettings): string {
  if (branchPolicy === "all") return "every branch and tag";
  if (branchPolicy === "protected") return "protected branches";
  return `branches ${branches.join(", ") || "none"}; tags ${tags.join(", ") || "none"}`;
}

function deploymentTable(deployments: readonly DeploymentSummary[]): string {
  const now = systemClock.now();
  const rows = deployments.map((one) => [
    String(one.id),
    status(one.state),
    one.sha.slice(0, 7),
    shortRef(one.ref),
    one.creator,
    one.runId ?? "-",
    ago(one.updatedAt, now),
    one.environmentUrl ?? "",
  ]);
  return table(["deployment", "state", "commit", "ref", "by", "run", "age", "address"], rows);
}

interface SetOptions extends GlobalOptions {
  readonly reviewer?: readonly string[];
  /** False for `--no-reviewers`. */
  readonly reviewers: boolean;
  readonly preventSelfReview?: boolean;
  readonly waitTimer?: string;
  readonly branch?: readonly string[];
  readonly tag?: readonly string[];
  readonly protectedBranches?: boolean;
  readonly anyBranch?: boolean;
  readonly adminsBypass?: boolean;
}

async function set(repository: string, name: string, options: SetOptions): Promise<void> {
  const path = environmentsPath(repository, name);
  const body = settingsOf(options);
  const { client } = await openSession(options);
  const made = await client.api<EnvironmentSummary>(path, { method: "PUT", body });
  if (options.json === true) printJson(made);
  else print(`Environment ${made.name} of ${made.repository}: ${rulesText(made)}.`);
}

/** @throws CliError when options contradict each other */
function settingsOf(options: SetOptions): Partial<EnvironmentSettings> {
  const { reviewer = [], reviewers, preventSelfReview, waitTimer, adminsBypass } = options;
  if (reviewer.length > 0 && !reviewers) throw new CliError("cli/usage", "Use --reviewer or --no-reviewers, not both");
  if (waitTimer !== undefined && !/^\d{1,6}$/.test(waitTimer)) {
    throw new CliError("cli/usage", `"${waitTimer}" is no number of minutes: write e.g. --wait-timer 30`);
  }
  return {
    ...(reviewer.length > 0 || !reviewers ? { reviewers: reviewer } : {}),
    ...(preventSelfReview === undefined ? {} : { preventSelfReview }),
    ...(waitTimer === undefined ? {} : { waitMinutes: Number(waitTimer) }),
    ...(adminsBypass === undefined ? {} : { adminsBypass }),
    ...branchSettings(options),
  };
}

function branchSettings({
  branch = [],
  tag = [],
  protectedBranches,
  anyBranch,
}: SetOptions): Partial<EnvironmentSettings> {
  const selected = branch.length + tag.length > 0;
  if ([selected, protectedBranches === true, anyBranch === true].filter(Boolean).length > 1) {
    throw new CliError(
      "cli/usage",
      "Use --branch and --tag, or --protected-branches, or --any-branch: one of the three",
    );
  }
  if (selected) return { branchPolicy: "selected", branches: branch, tags: tag };
  if (protectedBranches === true) return { branchPolicy: "protected" };
  return anyBranch === true ? { branchPolicy: "all" } : {};
}

async function remove(repository: string, name: string, options: GlobalOptions): Promise<void> {
  const path = environmentsPath(repository, name);
  const { client } = await openSession(options);
  await client.api(path, { method: "DELETE" });
  if (options.json === true) printJson({ repository, name, deleted: true });
  else print(`Environment ${name} of ${repository} is deleted, with its secrets and variables.`);
}
