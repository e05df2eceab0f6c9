/** Actions: what repositories use, what a reference stands for, what is kept of other hosts, and locks. */
import type { FastifyInstance } from "fastify";
import type { ActionDetail, ActionLockDraft, ActionUse, KeptActionView } from "#api";
import type { Repositories } from "#git";
import type { ActionDetails, RuleTexts, Workflows, WorkflowText } from "#workflows";
import { commitFiles } from "../wiring/action-files.ts";
import { defaultHead } from "../wiring/workflow-source.ts";
import { badRequest } from "./api-error.ts";

export interface ActionRoutesOptions {
  readonly workflows: Workflows;
  readonly repositories: Repositories;
  readonly signal: AbortSignal;
}

type Named = { Params: { owner: string; name: string } };

/** Of the files that a lock is made for. */
const bodyLimit = 16 * 1024 * 1024;
const maxFiles = 1_000;

export function actionRoutes(app: FastifyInstance, options: ActionRoutesOptions): void {
  const { workflows, repositories, signal } = options;
  app.get("/actions", async () => {
    const items: readonly KeptActionView[] = await workflows.actions.kept({ signal });
    return { items };
  });
  app.get<{ Querystring: { uses?: string; repository?: string } }>("/actions/show", async ({ query }) => {
    const uses = requireUses(query.uses);
    const { name, rules } = await rulesOf(options, query.repository);
    return detailOf(uses, await workflows.actions.show(uses, name, rules, { signal }));
  });
  app.post<{ Body: { uses?: unknown; repository?: string } | null }>("/actions/fetch", async ({ body }) => {
    const asked = Array.isArray(body?.uses) ? body.uses.map(requireUses) : [];
    const { name, rules } = await rulesOf(options, body?.repository);
    const used = asked.length > 0 || name === "" ? [] : await usedBy(options, name);
    const all = [...new Set([...asked, ...used])];
    if (all.length === 0) throw badRequest('Say what to fetch: {"uses": ["actions/checkout@v4"]}');
    const items: ActionDetail[] = [];
    // One after the other: they may be of one repository, and the network is shared anyway.
    for (const uses of all) {
      const anew = asked.includes(uses);
      items.push(detailOf(uses, await workflows.actions.show(uses, name, rules, { signal, anew })));
    }
    return { items };
  });
  app.get<Named>("/repositories/:owner/:name/actions", async ({ params }) => {
    const { name } = await repositories.require(`${params.owner}/${params.name}`);
    const found = await usedActions(options, name);
    const items: readonly ActionUse[] = found.map(({ uses, at, answer }) => ({ ...useOf(uses, answer), at }));
    return { items };
  });
  lockRoute(app, options);
}

function lockRoute(app: FastifyInstance, { workflows, repositories, signal }: ActionRoutesOptions): void {
  type Lock = Named & { Body: { files?: unknown; policy?: unknown; lock?: unknown; update?: unknown } | null };
  app.post<Lock>("/repositories/:owner/:name/actions/lock", { bodyLimit }, async ({ params, body }) => {
    const { name } = await repositories.require(`${params.owner}/${params.name}`);
    const { files, policy, lock, update = [] } = body ?? {};
    if (!Array.isArray(files) || files.length > maxFiles || !files.every(isText)) {
      throw badRequest(`Send at most ${maxFiles} files: {"files": [{"path": "…", "text": "…"}]}`);
    }
    if (!Array.isArray(update) || !update.every((one) => typeof one === "string")) {
      throw badRequest('What may move to another commit is a list of patterns: {"update": ["actions/*"]}');
    }
    const rules: RuleTexts = {
      ...(typeof policy === "string" ? { policy } : {}),
      ...(typeof lock === "string" ? { lock } : {}),
    };
    const made = await workflows.actions.lock({ repository: name, files, rules }, update, { signal });
    return made satisfies ActionLockDraft;
  });
}

function isText(value: unknown): value is WorkflowText {
  if (typeof value !== "object" || value === null) return false;
  return "path" in value && typeof value.path === "string" && "text" in value && typeof value.text === "string";
}

function requireUses(value: unknown): string {
  if (typeof value === "string" && value !== "" && value.length <= 1000) return value;
  throw badRequest("Name an action: owner/repo@ref, e.g. actions/checkout@v4");
}

/** Everything that the default branch uses of others. */
async function usedBy(options: ActionRoutesOptions, repository: string): Promise<readonly string[]> {
  const found = await usedActions(options, repository);
  return found.flatMap(({ uses, answer }) => (answer.kind === "built-in" ? [] : [uses]));
}

async function usedActions(
  { workflows, repositories, signal }: ActionRoutesOptions,
  repository: string,
): Promise<Awaited<ReturnType<Workflows["actions"]["used"]>>> {
  const head = await defaultHead(repositories, repository, signal);
  if (head === undefined) return [];
  const files = await commitFiles(await repositories.reader(repository, signal), head.sha);
  const ruled = { repository, files: [...files.workflows, ...files.manifests], rules: files.rules };
  return await workflows.actions.used(ruled, { signal });
}

/** What the default branch of the repository may use; without one, what the installation says. */
async function rulesOf(
  { repositories, signal }: ActionRoutesOptions,
  repository: string | undefined,
): Promise<{ readonly name: string; readonly rules: RuleTexts }> {
  if (repository === undefined || repository === "") return { name: "", rules: {} };
  const { name } = await repositories.require(repository);
  const head = await defaultHead(repositories, name, signal);
  if (head === undefined) return { name, rules: {} };
  const files = await commitFiles(await repositories.reader(name, signal), head.sha);
  return { name, rules: files.rules };
}

function useOf(uses: string, answer: ActionDetails["answer"]): ActionUse {
  if (answer.kind === "refused") return { uses, problem: answer.message };
  if (answer.kind === "built-in") return { uses, source: "built-in" };
  const { source, host, repository, ref, sha, lock } = answer;
  return {
    uses,
    source,
    ...(host === undefined ? {} : { host }),
    repository,
    ref,
    sha,
    ...(lock === undefined ? {} : { lockedAt: lock.at }),
  };
}

function detailOf(uses: string, { answer, digest, manifest }: ActionDetails): ActionDetail {
  return {
    ...useOf(uses, answer),
    ...(digest === undefined ? {} : { digest }),
    ...(manifest === undefined ? {} : { file: manifest }),
  };
}
