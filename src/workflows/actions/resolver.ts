/**
 * What a `uses:` stands for: the first of an ordered list of sources that has it, as the policies allow it and the lock
 * pins it. A source that cannot be asked ends the search: to pass on to the next one would let whoever can cut a line
 * choose where code comes from.
 */
import { errorCode, errorMessage, formatProblem, type Problem } from "#lib";
import type { ActionAnswer, ActionArchive, ActionAsk } from "../protocol.ts";
import { judgeAction, pinProblem } from "./judge.ts";
import {
  actionLockPath,
  checkLock,
  emptyLock,
  readActionLock,
  type ActionLock,
  type NamedCommit,
  type PlacedLockEntry,
} from "./lock.ts";
import {
  actionPolicyPath,
  defaultHosts,
  emptyPolicy,
  readActionPolicy,
  type ActionHost,
  type ActionPolicy,
  type ActionSource,
} from "./policy.ts";
import type { ActionRepository, ActionSourcePort } from "./ports.ts";
import { lockKey, parseActionReference, type ActionReference } from "./reference.ts";

/** What holds for everything one commit of one repository uses. */
export interface ActionRules {
  /** The installation's, then the repository's. */
  readonly policies: readonly ActionPolicy[];
  readonly lock: ActionLock;
  /** With any, nothing may be used: they say what was meant to be forbidden. */
  readonly problems: readonly Problem[];
}

/** Files of a commit that say what it may use. */
export interface RuleTexts {
  readonly policy?: string;
  readonly lock?: string;
}

export interface ActionResolverOptions {
  readonly source: ActionSourcePort;
  /** Whether jobs of the one repository may read the other. */
  readonly mayRead: (from: string, repository: string) => Promise<boolean>;
  /** `host:port` of this server, by which whole URLs may name it. */
  readonly ownHosts: () => readonly string[];
}

export interface ResolveOptions {
  readonly rules: ActionRules;
  /** The repository on whose behalf it is asked. */
  readonly from: string;
  readonly signal: AbortSignal;
  /** Instead of what the policy says: how long ago another host may have been asked. */
  readonly maxAgeMs?: number;
}

/** An archive that was found, and where to read it. */
interface FoundAction {
  readonly kind: "found";
  readonly answer: ActionArchive;
  readonly repository: ActionRepository;
}

interface Refusal {
  readonly kind: "refused";
  /** Ends with what to do about it. */
  readonly reason: string;
}

export type Finding = FoundAction | Refusal | { readonly kind: "built-in" };

/** Of one source. An absent action may be in the next one. */
type Outcome = FoundAction | Refusal | { readonly kind: "absent"; readonly reason: string };

const absentBecause = (reason: string): Outcome => ({ kind: "absent", reason });
const refusedBecause = (reason: string): Outcome => ({ kind: "refused", reason });

export class ActionResolver {
  readonly #options: ActionResolverOptions;
  #installation: { readonly text: string; readonly rules: readonly [ActionPolicy, readonly Problem[]] } | undefined;

  constructor(options: ActionResolverOptions) {
    this.#options = options;
  }

  async rules(texts: RuleTexts, signal: AbortSignal): Promise<ActionRules> {
    const [installation, problems] = await this.#installationPolicy(signal);
    const policy =
      texts.policy === undefined ? undefined : readActionPolicy(actionPolicyPath, texts.policy, "repository");
    const lock = texts.lock === undefined ? undefined : readActionLock(actionLockPath, texts.lock);
    return {
      policies: [installation, ...(policy?.value === undefined ? [] : [policy.value])],
      lock: lock?.value ?? emptyLock,
      problems: [...problems, ...(policy?.problems ?? []), ...(lock?.problems ?? [])],
    };
  }

  /** Read at each use: whoever changes it need not restart anything. */
  async #installationPolicy(signal: AbortSignal): Promise<readonly [ActionPolicy, readonly Problem[]]> {
    const found = await this.#options.source.policy({ signal });
    if (found === undefined) return [emptyPolicy("actions.yml"), []];
    if (this.#installation?.text !== found.text) {
      const { value, problems } = readActionPolicy(found.file, found.text, "installation");
      this.#installation = { text: found.text, rules: [value ?? emptyPolicy(found.file), problems] };
    }
    return this.#installation.rules;
  }

  async resolve(ask: ActionAsk, options: ResolveOptions): Promise<ActionAnswer> {
    const found = await this.find(ask, options);
    if (found.kind === "found") return found.answer;
    if (found.kind === "built-in") return { kind: "built-in" };
    return { kind: "refused", message: `Cannot use "${ask.uses}": ${found.reason}` };
  }

  async find(ask: ActionAsk, options: ResolveOptions): Promise<Finding> {
    const refuse = (reason: string): Finding => ({ kind: "refused", reason });
    const reference = parseActionReference(ask.uses);
    if (reference === undefined) return refuse("it is no owner/repo@ref. Write which branch, tag or commit after an @");
    const [wrong] = options.rules.problems;
    if (wrong !== undefined) return refuse(`the rules are wrong, so nothing may be used: ${formatProblem(wrong)}`);
    const judged = judgeAction(reference, options.rules.policies);
    if (judged.kind === "refused") return refuse(judged.reason);
    const absent: string[] = [];
    for (const source of judged.sources) {
      if (source === "built-in") {
        if (ask.builtIn) return { kind: "built-in" };
        absent.push("no built-in has this name");
        continue;
      }
      const entry = options.rules.lock.get(lockKey(reference));
      const unpinned = pinProblem(reference, judged.pins, entry !== undefined);
      if (unpinned !== undefined) return refuse(unpinned);
      const outcome = await this.#ask(source, reference, entry, options);
      if (outcome.kind !== "absent") return outcome;
      absent.push(outcome.reason);
    }
    return refuse(`${absent.join("; ")}. ${remedy(reference, judged.sources)}`);
  }

  async #ask(
    source: Exclude<ActionSource, "built-in">,
    reference: ActionReference,
    entry: PlacedLockEntry | undefined,
    options: ResolveOptions,
  ): Promise<Outcome> {
    const { host } = reference;
    const own = host === undefined || this.#options.ownHosts().includes(new URL(host).host);
    if (source === "local") {
      return own ? await this.#local(reference, entry, options) : absentBecause(`"${host}" is not this server`);
    }
    if (host !== undefined && own) return absentBecause("the URL is of this server");
    const hosts = this.#hosts(options.rules);
    const asked = host === undefined ? hosts : hosts.filter(({ url }) => url.toLowerCase() === host);
    if (asked.length === 0) {
      const which =
        host === undefined ? "no other host may be asked" : `"${host}" is none of the hosts that may be asked`;
      return absentBecause(which);
    }
    return await this.#remote(asked, reference, entry, options);
  }

  #hosts(rules: ActionRules): readonly ActionHost[] {
    return rules.policies.find(({ hosts }) => hosts !== undefined)?.hosts ?? defaultHosts;
  }

  async #local(
    reference: ActionReference,
    entry: PlacedLockEntry | undefined,
    { from, signal }: ResolveOptions,
  ): Promise<Outcome> {
    const repository = await this.#options.source.local(reference.repository, { signal });
    if (repository === undefined) return absentBecause(`there is no repository "${reference.repository}" here`);
    if (!(await this.#options.mayRead(from, repository.name))) {
      const share = `Share it: tidegate workflow share ${repository.name}`;
      return refusedBecause(`"${repository.name}" does not let others use it. ${share}`);
    }
    const commit = await repository.resolve(reference.ref, { signal });
    if (commit === undefined) {
      return absentBecause(`"${repository.name}" here has no branch, tag or commit "${reference.ref}"`);
    }
    return await pinned({ source: "local", repository, reference, commit, entry, signal });
  }

  async #remote(
    hosts: readonly ActionHost[],
    reference: ActionReference,
    entry: PlacedLockEntry | undefined,
    { rules, signal, maxAgeMs }: ResolveOptions,
  ): Promise<Outcome> {
    const hours = rules.policies.find(({ refreshHours }) => refreshHours !== undefined)?.refreshHours;
    const oldest = maxAgeMs ?? (hours === undefined ? undefined : hours * 3_600_000);
    const absent: string[] = [];
    for (const host of hosts) {
      const repository = this.#options.source.remote(host, reference.repository);
      const where = { source: "remote", host: host.url, repository, reference, entry, signal } as const;
      try {
        const known = entry === undefined ? undefined : await lockedHere(repository, reference, entry, signal);
        const age = oldest === undefined ? {} : { maxAgeMs: oldest };
        const commit = known ?? (await repository.resolve(reference.ref, { signal, ...age }));
        if (commit !== undefined) return await pinned({ ...where, commit });
        absent.push(`${host.url} has no "${reference.repository}" with a branch, tag or commit "${reference.ref}"`);
      } catch (error) {
        signal.throwIfAborted();
        if (errorCode(error) !== "git/remote" && errorCode(error) !== "git/too-large") throw error;
        return refusedBecause(`${errorMessage(error)}. ${remedy(reference, ["remote"])}`);
      }
    }
    return absentBecause(absent.join("; "));
  }

  /** The repository an answer was found in. */
  async repositoryOf(
    { source, repository, host }: Pick<ActionArchive, "source" | "repository" | "host">,
    options: ResolveOptions,
  ): Promise<ActionRepository | undefined> {
    if (source === "remote") {
      const known = this.#hosts(options.rules).find(({ url }) => url === host);
      return known === undefined ? undefined : this.#options.source.remote(known, repository);
    }
    const found = await this.#options.source.local(repository, options);
    return found !== undefined && (await this.#options.mayRead(options.from, found.name)) ? found : undefined;
  }
}

/** A locked commit that is here needs no host; what is known of the ref must not say otherwise. */
async function lockedHere(
  repository: ActionRepository,
  { ref }: ActionReference,
  { commit }: PlacedLockEntry,
  signal: AbortSignal,
): Promise<NamedCommit | undefined> {
  const known = await repository.known(ref, { signal });
  if (known !== undefined) return known;
  return (await repository.holds(commit, { signal })) ? { kind: "branch", ref, sha: commit } : undefined;
}

async function pinned(found: {
  readonly source: "local" | "remote";
  readonly host?: string;
  readonly repository: ActionRepository;
  readonly reference: ActionReference;
  readonly commit: NamedCommit;
  readonly entry: PlacedLockEntry | undefined;
  readonly signal: AbortSignal;
}): Promise<Outcome> {
  const { repository, reference, commit, entry, signal } = found;
  const base = {
    kind: "archive",
    source: found.source,
    ...(found.host === undefined ? {} : { host: found.host }),
    repository: repository.name,
    ref: commit.ref,
  } as const;
  if (entry === undefined) return { kind: "found", answer: { ...base, sha: commit.sha }, repository };
  const checked = checkLock(reference, entry, commit);
  if (checked.kind === "refused") return refusedBecause(checked.reason);
  const { file, line, column } = entry.at;
  const lock = { digest: entry.digest, at: `${file}:${line}:${column}` };
  if (checked.kind === "locked-commit" && !(await repository.bring(entry.commit, { signal }))) {
    return refusedBecause(`${lock.at} says ${entry.commit}, and "${repository.name}" has no such commit any more`);
  }
  return { kind: "found", answer: { ...base, sha: entry.commit, lock }, repository };
}

function remedy({ repository, ref }: ActionReference, sources: readonly ActionSource[]): string {
  const ways = [
    ...(sources.includes("local") ? [`push it here as "${repository}"`] : []),
    ...(sources.includes("remote")
      ? [`get it while there is a network ("tidegate actions fetch ${repository}@${ref}"), after which none is needed`]
      : []),
    "put it into your own repository and use ./path",
  ];
  const list = ways.length === 1 ? ways.join("") : `${ways.slice(0, -1).join(", ")}, or ${ways.at(-1)}`;
  return `${list.charAt(0).toUpperCase()}${list.slice(1)}`;
}
