/** A lock for everything that files name, with what that names in its turn. */
import type { Problem } from "#lib";
import { isWorkflowPath, type WorkflowText } from "../parse/workflow-file.ts";
import { lockKey, matchesPattern, parseActionReference, type ActionReference } from "./reference.ts";
import type { LockEntry } from "./lock.ts";
import type { ActionRepository } from "./ports.ts";
import { drain, readActionArchive } from "./read-archive.ts";
import type { ActionResolver, ActionRules } from "./resolver.ts";
import { isActionFile, usesInFiles, type PlacedReference } from "./uses-in-files.ts";

export interface LockRequest {
  readonly files: readonly WorkflowText[];
  readonly rules: ActionRules;
  /** The repository the files are of. */
  readonly from: string;
  /** What may move to another commit: patterns as in a policy. */
  readonly update: readonly string[];
  readonly hasBuiltIn: (reference: ActionReference) => boolean;
  readonly signal: AbortSignal;
}

export interface LockResult {
  readonly entries: readonly LockEntry[];
  /** References that need no entry, as they are built in. */
  readonly builtIn: readonly string[];
  readonly problems: readonly Problem[];
}

/** Far above what people nest; a circle ends by itself, since each reference is looked at once. */
const maxReferences = 1_000;

export async function makeLock(resolver: ActionResolver, request: LockRequest): Promise<LockResult> {
  const { rules } = request;
  if (rules.problems.length > 0) return { entries: [], builtIn: [], problems: rules.problems };
  const making = new LockMaking(resolver, request);
  await making.run();
  return making.result();
}

class LockMaking {
  readonly #resolver: ActionResolver;
  readonly #request: LockRequest;
  readonly #rules: ActionRules;
  readonly #entries = new Map<string, LockEntry>();
  readonly #builtIn = new Set<string>();
  readonly #problems: Problem[] = [];
  readonly #seen = new Set<string>();

  constructor(resolver: ActionResolver, request: LockRequest) {
    this.#resolver = resolver;
    this.#request = request;
    const kept = [...request.rules.lock].filter(([key]) => !isUpdated(key, request.update));
    // What is asked for anew is asked of its host; a pin rule cannot hold before there is a lock.
    const policies = request.rules.policies.map((policy) => ({
      ...policy,
      ...(policy.pins === "lock" ? { pins: "none" as const } : {}),
    }));
    this.#rules = { ...request.rules, policies, lock: new Map(kept) };
  }

  async run(): Promise<void> {
    let open = usesInFiles(this.#request.files);
    while (open.length > 0) {
      const fresh = open.filter(({ uses }) => !this.#seen.has(uses) && this.#seen.add(uses).size <= maxReferences);
      const nested = await Promise.all(fresh.map(async (placed) => await this.#lock(placed)));
      open = nested.flat();
    }
  }

  result(): LockResult {
    return { entries: [...this.#entries.values()], builtIn: [...this.#builtIn].toSorted(), problems: this.#problems };
  }

  /** What the files of the reference name in their turn. */
  async #lock(placed: PlacedReference): Promise<readonly PlacedReference[]> {
    const { from, signal, hasBuiltIn } = this.#request;
    const { uses, reference } = placed;
    const key = lockKey(reference);
    const builtIn = !isWorkflowPath(reference.path) && hasBuiltIn(reference);
    const anew = this.#rules.lock.has(key) ? {} : { maxAgeMs: 0 };
    const found = await this.#resolver.find({ uses, builtIn }, { rules: this.#rules, from, signal, ...anew });
    if (found.kind === "built-in") this.#builtIn.add(uses);
    if (found.kind === "refused")
      this.#problems.push({ path: "uses", message: `"${uses}": ${found.reason}`, at: placed.at });
    if (found.kind !== "found") return [];
    const { repository, answer } = found;
    const known = this.#entries.get(key) ?? this.#rules.lock.get(key);
    const digest = known?.digest ?? (await digestOf(repository, answer.sha, signal));
    this.#entries.set(key, { key, commit: answer.sha, digest });
    return await nestedUses(repository, answer.sha, reference, uses, signal);
  }
}

function isUpdated(key: string, patterns: readonly string[]): boolean {
  const reference = parseActionReference(key);
  return reference === undefined || patterns.some((pattern) => matchesPattern(pattern, reference));
}

export async function digestOf(repository: ActionRepository, sha: string, signal: AbortSignal): Promise<string> {
  return (await readActionArchive(repository.archive(sha, { signal }), drain, { signal })).digest;
}

/** Of an action its manifest; of a workflow the file itself; and the files of its repository that these name. */
async function nestedUses(
  repository: ActionRepository,
  sha: string,
  reference: ActionReference,
  uses: string,
  signal: AbortSignal,
): Promise<readonly PlacedReference[]> {
  const named = [reference.path];
  const files: WorkflowText[] = [];
  for (let path = named.shift(), count = 0; path !== undefined && count < 100; path = named.shift(), count += 1) {
    const file = await readManifest(repository, sha, path, signal);
    if (file === undefined || files.some((one) => one.path === file.path)) continue;
    files.push(file);
    named.push(...ownReferences(file));
  }
  const placed = files.map((file) => ({ ...file, path: `${uses}: ${file.path}` }));
  return usesInFiles(placed);
}

/** `./path` of a called workflow and `$/path` are of the same repository; `./path` of an action is the job's own. */
function ownReferences({ path, text }: WorkflowText): readonly string[] {
  const pattern = isActionFile(path) ? /\buses:\s*["']?\$\/([^\s"'#]+)/g : /\buses:\s*["']?[.$]\/([^\s"'#]+)/g;
  return [...text.matchAll(pattern)].map(([, found = ""]) => found);
}

export async function readManifest(
  repository: ActionRepository,
  sha: string,
  path: string,
  signal: AbortSignal,
): Promise<WorkflowText | undefined> {
  const folder = path === "" ? "" : `${path}/`;
  const paths = isWorkflowPath(path) ? [path] : [`${folder}action.yml`, `${folder}action.yaml`];
  for (const file of paths) {
    const text = await repository.readFile(sha, file, { signal });
    if (text !== undefined) return { path: file, text };
  }
  return undefined;
}
