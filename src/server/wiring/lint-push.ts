/**
 * What the linter says of a push, and whether the repository's policy refuses it. Only what the push adds counts: a
 * finding that was there before is no reason to hold up the work that came after.
 */
import { formatProblems, hasErrors, ThreadFailed } from "#lib";
import type { ObjectReader, Push, PushedUpdate, RefRefusal } from "#git";
import {
  blockingFindings,
  type Finding,
  isLintedPath,
  type LintFile,
  type LintPolicy,
  policyPaths,
  readPolicies,
} from "#lint";
import type { RecentFindings } from "./recent-findings.ts";

export interface LintVerdict {
  readonly refuse: readonly RefRefusal[];
  readonly messages: readonly string[];
}

/** What may hold a file for the linter; looking through whole trees would make every push wait. */
const places = [".github", ".forgejo", ".gitea", "action.yml", "action.yaml", ".pre-commit-config.yaml"] as const;
const maxLines = 10;

/** @param standing before this push, so that a push cannot loosen what it is measured by */
export async function lintPush(
  push: Pick<Push, "objects" | "updates">,
  standing: DefaultBranch,
  recent: RecentFindings,
): Promise<LintVerdict> {
  const updates = push.updates.filter((update) => update.ref.startsWith("refs/heads/") && update.kind !== "delete");
  const verdicts = await Promise.all(updates.map((update) => lintUpdate(push.objects, update, standing, recent)));
  return {
    refuse: verdicts.flatMap((verdict) => verdict.refuse),
    messages: verdicts.flatMap((verdict) => verdict.messages),
  };
}

async function lintUpdate(
  objects: ObjectReader,
  update: PushedUpdate,
  { head, policyFiles }: DefaultBranch,
  recent: RecentFindings,
): Promise<LintVerdict> {
  const base = /^0+$/.test(update.before) ? head : update.before;
  const [before, after] = await Promise.all([
    base === undefined ? [] : lintedPlaces(objects, base),
    lintedPlaces(objects, update.after),
  ]);
  const changed = after.filter(
    (place) => !before.some((former) => former.sha === place.sha && former.path === place.path),
  );
  const policy = readPolicies(policyFiles).value;
  const lint = async (sha: string): Promise<readonly Finding[]> =>
    await recent.lint(await lintedFiles(objects, sha, changed), policyFiles);
  let added: readonly Finding[];
  try {
    const found = (await lint(update.after)).filter((finding) => finding.rule !== "syntax");
    const former = new Set(base === undefined || found.length === 0 ? [] : (await lint(base)).map(identity));
    added = found.filter((finding) => !former.has(identity(finding)));
  } catch (error) {
    if (!(error instanceof ThreadFailed)) throw error;
    return tooMuch(update, policy, error);
  }
  const messages = [...(await policyProblems(objects, update)), ...describe(added)];
  const blocking = blockingFindings(added, policy);
  const [worst] = blocking;
  if (worst === undefined) return { refuse: [], messages };
  const reason = `lint policy: ${blocking.length} of severity "${policy.block}" or worse, e.g. ${worst.rule} at ${worst.file}:${worst.line}`;
  return { refuse: [{ ref: update.ref, reason }], messages };
}

/** What nobody has looked at is not let in where the policy is to refuse. */
function tooMuch({ ref }: PushedUpdate, { block }: LintPolicy, { message }: ThreadFailed): LintVerdict {
  const found = `the workflow files cannot be looked at: ${message}; make them smaller, or push them in parts`;
  if (block === "never") return { refuse: [], messages: [`Tidegate: ${found}`] };
  return { refuse: [{ ref, reason: `lint policy: ${found}` }], messages: [] };
}

/** Without its place, which every line above it moves. */
function identity(finding: Finding): string {
  return JSON.stringify([finding.file, finding.rule, finding.message]);
}

interface Place {
  readonly path: string;
  /** Of the folder or file: the same id has the same content. */
  readonly sha: string;
}

async function lintedPlaces(objects: ObjectReader, sha: string): Promise<readonly Place[]> {
  return [...(await objects.idsOf(sha, places))].map(([path, id]) => ({ path, sha: id }));
}

async function lintedFiles(objects: ObjectReader, sha: string, within: readonly Place[]): Promise<readonly LintFile[]> {
  const paths = (await Promise.all(within.map((place) => objects.listFiles(sha, place.path)))).flat();
  const files = await objects.readFiles(sha, paths.filter(isLintedPath));
  return [...files].map(([path, content]) => ({ path, text: content.toString("utf8") }));
}

/** What a push is measured by. */
export interface DefaultBranch {
  readonly head: string | undefined;
  /** In which the repository says what it makes of findings. */
  readonly policyFiles: ReadonlyMap<string, string>;
}

export async function defaultBranch(objects: ObjectReader): Promise<DefaultBranch> {
  const head = await objects.resolve("HEAD");
  return { head, policyFiles: head === undefined ? new Map() : await policyTexts(objects, head) };
}

async function policyTexts(objects: ObjectReader, sha: string): Promise<ReadonlyMap<string, string>> {
  const files = await objects.readFiles(sha, policyPaths);
  return new Map([...files].map(([path, content]) => [path, content.toString("utf8")]));
}

async function policyProblems(objects: ObjectReader, update: PushedUpdate): Promise<readonly string[]> {
  const { problems } = readPolicies(await policyTexts(objects, update.after));
  if (!hasErrors(problems)) return [];
  return [
    "Tidegate: the lint policy is wrong:",
    ...formatProblems(problems)
      .split("\n")
      .map((line) => `  ${line}`),
  ];
}

/** Errors by line; the rest is counted, since a pusher has something else to do. */
function describe(findings: readonly Finding[]): readonly string[] {
  if (findings.length === 0) return [];
  const errors = findings.filter((finding) => finding.severity === "error");
  const lines = errors
    .slice(0, maxLines)
    .map(({ file, line, column, message, rule }) => `  ${file}:${line}:${column}: ${message} [${rule}]`);
  const rest = findings.length - lines.length;
  const count = `${findings.length} new ${findings.length === 1 ? "finding" : "findings"} in workflow files`;
  const hint = rest > 0 ? [`  ${lines.length > 0 ? `and ${rest} more; ` : ""}\`tidegate lint\` shows all`] : [];
  return [`Tidegate: ${count}:`, ...lines, ...hint];
}
