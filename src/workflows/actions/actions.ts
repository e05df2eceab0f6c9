/** All that can be asked about actions and called workflows, but by runners: see action-desk.ts. */
import { formatProblem, type Problem } from "#lib";
import type { WorkflowText } from "../parse/workflow-file.ts";
import type { PortOptions } from "../ports.ts";
import type { ActionAnswer } from "../protocol.ts";
import { judgeAction, pinProblem } from "./judge.ts";
import { checkLock, writeActionLock, type LockEntry } from "./lock.ts";
import { digestOf, makeLock, readManifest } from "./make-lock.ts";
import type { ActionSourcePort, KeptAction } from "./ports.ts";
import { lockKey, parseActionReference } from "./reference.ts";
import type { ActionResolver, RuleTexts } from "./resolver.ts";
import type { RuleBook } from "./rule-book.ts";
import { usesInFiles } from "./uses-in-files.ts";

/** What the parts of this room share about actions. */
export interface ActionParts {
  readonly source: ActionSourcePort;
  readonly resolver: ActionResolver;
  readonly rules: RuleBook;
}

/** Files of a commit, and the rules among them. */
export interface RuledFiles {
  readonly repository: string;
  /** Workflows and action manifests. */
  readonly files: readonly WorkflowText[];
  readonly rules: RuleTexts;
}

export interface UsedActionView {
  readonly uses: string;
  /** Where it is written, first. */
  readonly at: { readonly file: string; readonly line: number; readonly column: number };
  readonly answer: ActionAnswer;
}

export interface ActionDetails {
  readonly answer: ActionAnswer;
  readonly digest?: string;
  /** Its `action.yml`, or the workflow file. */
  readonly manifest?: WorkflowText;
}

export interface LockView {
  readonly text: string;
  readonly entries: readonly LockEntry[];
  readonly changes: readonly { readonly key: string; readonly before?: string; readonly after?: string }[];
  readonly builtIn: readonly string[];
  readonly problems: readonly Problem[];
}

export class Actions {
  readonly #parts: ActionParts;

  constructor(parts: ActionParts) {
    this.#parts = parts;
  }

  /** What the files use, each reference once, as a job would get it now. */
  async used(
    { repository, files, rules: texts }: RuledFiles,
    { signal }: PortOptions,
  ): Promise<readonly UsedActionView[]> {
    const { resolver } = this.#parts;
    const rules = await resolver.rules(texts, signal);
    const placed = new Map(
      usesInFiles(files)
        .toReversed()
        .map((one) => [one.uses, one]),
    );
    const views = [...placed.values()].map(async ({ uses, reference, at }): Promise<UsedActionView> => {
      const builtIn = this.#parts.source.hasBuiltIn(reference.repository, reference.path);
      return { uses, at, answer: await resolver.resolve({ uses, builtIn }, { rules, from: repository, signal }) };
    });
    return (await Promise.all(views)).toSorted((a, b) => a.uses.localeCompare(b.uses, "en"));
  }

  /** @param update patterns of what may move to another commit */
  async lock(from: RuledFiles, update: readonly string[], { signal }: PortOptions): Promise<LockView> {
    const { resolver, source } = this.#parts;
    const rules = await resolver.rules(from.rules, signal);
    const result = await makeLock(resolver, {
      files: from.files,
      rules,
      from: from.repository,
      update,
      hasBuiltIn: ({ repository, path }) => source.hasBuiltIn(repository, path),
      signal,
    });
    const after = new Map(result.entries.map((entry) => [entry.key, entry.commit]));
    const keys = [...new Set([...rules.lock.keys(), ...after.keys()])].toSorted();
    const changes = keys.flatMap((key) => {
      const [old, now] = [rules.lock.get(key)?.commit, after.get(key)];
      if (old === now) return [];
      return [{ key, ...(old === undefined ? {} : { before: old }), ...(now === undefined ? {} : { after: now }) }];
    });
    return { ...result, changes, text: writeActionLock(result.entries) };
  }

  /** One reference, as the jobs of `from` would get it. With `anew` its host is asked, even when it is known here. */
  async show(
    uses: string,
    from: string,
    texts: RuleTexts,
    { signal, anew = false }: PortOptions & { readonly anew?: boolean },
  ): Promise<ActionDetails> {
    const { resolver, source } = this.#parts;
    const rules = await resolver.rules(texts, signal);
    const reference = parseActionReference(uses);
    const builtIn = reference !== undefined && source.hasBuiltIn(reference.repository, reference.path);
    // Whoever fetches wants it here, though a built-in would win.
    const ask = { uses, builtIn: builtIn && !anew };
    const found = await resolver.find(ask, { rules, from, signal, ...(anew ? { maxAgeMs: 0 } : {}) });
    if (found.kind === "built-in") return { answer: found };
    if (found.kind === "refused") {
      return { answer: { kind: "refused", message: `Cannot use "${uses}": ${found.reason}` } };
    }
    const { answer, repository } = found;
    const digest = await digestOf(repository, answer.sha, signal);
    const manifest = await readManifest(repository, answer.sha, reference?.path ?? "", signal);
    return { answer, digest, ...(manifest === undefined ? {} : { manifest }) };
  }

  /** What other hosts have given. */
  async kept(options: PortOptions): Promise<readonly KeptAction[]> {
    return await this.#parts.source.kept(options);
  }

  /** What will stop jobs of a commit, as far as can be told without asking other hosts: for the answer to a push. */
  async check(
    { files, rules: texts }: Omit<RuledFiles, "repository">,
    { signal }: PortOptions,
  ): Promise<readonly Problem[]> {
    const rules = await this.#parts.resolver.rules(texts, signal);
    if (rules.problems.length > 0) return rules.problems;
    const silent = rules.policies.every(
      ({ allow, deny, pins }) => allow === undefined && deny.length === 0 && pins === "none",
    );
    if (texts.lock === undefined && silent) return [];
    const found = usesInFiles(files).map(async ({ uses, reference, at }) => {
      const builtIn = this.#parts.source.hasBuiltIn(reference.repository, reference.path);
      const judged = judgeAction(reference, rules.policies);
      const problem = (message: string, severity?: "warning"): Problem[] => [
        { path: "uses", message: `"${uses}": ${message}`, at, ...(severity === undefined ? {} : { severity }) },
      ];
      if (judged.kind === "refused") return problem(judged.reason);
      if (judged.sources[0] === "built-in" && builtIn) return [];
      const entry = rules.lock.get(lockKey(reference));
      const unpinned = pinProblem(reference, judged.pins, entry !== undefined);
      if (unpinned !== undefined) return problem(unpinned);
      if (texts.lock !== undefined && entry === undefined) {
        return problem("not in .tidegate/actions.lock: write it there with tidegate actions lock", "warning");
      }
      if (entry === undefined) return [];
      const here = judged.sources.includes("local")
        ? await this.#parts.source.local(reference.repository, { signal })
        : undefined;
      const commit = await here?.known(reference.ref, { signal });
      const checked = commit === undefined ? undefined : checkLock(reference, entry, commit);
      return checked?.kind === "refused" ? problem(checked.reason) : [];
    });
    const problems = (await Promise.all(found)).flat();
    return [...new Map(problems.map((one) => [formatProblem(one), one])).values()];
  }
}
