/**
 * Whether a job may pass the gate of its environment, and who may let it. Pure: rules, facts and time come in.
 *
 * A job comes to the gate when nothing else holds it back, its concurrency groups included. There its branch or tag is
 * held against the policy; then the wait timer, which runs from the arrival, and a review have both to be done with, in
 * any order. An administrator's forced approval ends both.
 */
import type { Identity } from "#api";
import { matchesRefPattern } from "./ref-pattern.ts";

export interface Reviewer {
  /** A team is a group that tokens name. */
  readonly kind: "user" | "team";
  readonly name: string;
}

export type BranchPolicy =
  | { readonly kind: "all" }
  /** Branches with a protection; all branches while no branch has one. */
  | { readonly kind: "protected" }
  | { readonly kind: "selected"; readonly branches: readonly string[]; readonly tags: readonly string[] };

export interface EnvironmentRules {
  readonly name: string;
  /** One of them has to approve; none: nobody has to. */
  readonly reviewers: readonly Reviewer[];
  /** Who started the run may not review it. */
  readonly preventSelfReview: boolean;
  /** Whether an administrator may pass the rules over. */
  readonly adminsBypass: boolean;
  readonly waitMinutes: number;
  readonly branchPolicy: BranchPolicy;
}

/** A job at the gate of its environment. */
export interface Gate {
  readonly environment: string;
  readonly openedMs: number;
  readonly review?: {
    readonly state: "approved" | "rejected";
    readonly actor: string;
    readonly comment: string;
    readonly forced: boolean;
  };
}

/** What is known when a gate is judged, all of it as of now. */
export interface GateFacts {
  /** By the name in lower case: names of environments have no case. */
  readonly rules: ReadonlyMap<string, EnvironmentRules>;
  /** Of the run. */
  readonly ref: string;
  readonly isProtected: boolean;
  /** Milliseconds of the epoch: timers go on while nobody runs. */
  readonly epochMs: number;
}

export type Passage =
  | { readonly kind: "pass" }
  | {
      readonly kind: "wait";
      /** Somebody has to approve. */
      readonly review: boolean;
      /** Present while the timer runs. */
      readonly timerEndsMs?: number;
      /** Then the job fails. */
      readonly expiresMs: number;
    }
  | { readonly kind: "refuse"; readonly message: string };

const minuteMs = 60_000;
/** As on GitHub. */
const reviewDays = 30;
export const longestWaitMinutes = reviewDays * 24 * 60;

/** Any push may name new ones, and none goes by itself. */
const mostEnvironments = 500;

/** Why no environment of this name can come into being; undefined when it is there or can. */
export function environmentObstacle(name: string, rules: Pick<GateFacts["rules"], "has" | "size">): string | undefined {
  if (rules.has(name.toLowerCase()) || rules.size < mostEnvironments) return undefined;
  return `Cannot make environment "${name}": the repository has ${rules.size} of ${mostEnvironments} allowed. Delete some that nothing deploys to`;
}

export function judgeGate(gate: Gate, facts: GateFacts): Passage {
  const rules = facts.rules.get(gate.environment.toLowerCase());
  const { review, openedMs } = gate;
  if (rules === undefined) {
    const message = `Environment "${gate.environment}" was deleted while the job waited to deploy to it. Run the job again to deploy to a new one`;
    return { kind: "refuse", message };
  }
  const refused = refuseRef(rules, facts);
  if (refused !== undefined) return { kind: "refuse", message: refused };
  if (review?.state === "rejected") {
    const why = review.comment === "" ? "" : `: ${review.comment}`;
    return { kind: "refuse", message: `Rejected for "${rules.name}" by ${review.actor}${why}` };
  }
  if (review?.forced === true) return { kind: "pass" };
  const reviewing = rules.reviewers.length > 0 && review === undefined;
  const timerEndsMs = openedMs + rules.waitMinutes * minuteMs;
  const timing = rules.waitMinutes > 0 && timerEndsMs > facts.epochMs;
  if (!reviewing && !timing) return { kind: "pass" };
  const expiresMs = openedMs + reviewDays * 24 * 60 * minuteMs;
  if (reviewing && expiresMs <= facts.epochMs) {
    const message = `Nobody approved the deployment to "${rules.name}" within ${reviewDays} days. Run the job again to ask once more`;
    return { kind: "refuse", message };
  }
  return { kind: "wait", review: reviewing, ...(timing ? { timerEndsMs } : {}), expiresMs };
}

/** When a waiting gate is to be judged again though nobody did anything. */
export function nextJudgement({ timerEndsMs, review, expiresMs }: Extract<Passage, { kind: "wait" }>): number {
  return Math.min(timerEndsMs ?? Infinity, review ? expiresMs : Infinity);
}

/** Why it waits, for people. */
export function waitText(rules: EnvironmentRules, passage: Extract<Passage, { kind: "wait" }>): string {
  const parts: string[] = [];
  if (passage.review) {
    parts.push(`for ${rules.reviewers.map(reviewerPhrase).join(" or ")} to approve the deployment to "${rules.name}"`);
  }
  if (passage.timerEndsMs !== undefined) {
    const ends = Temporal.Instant.fromEpochMilliseconds(passage.timerEndsMs).toString({ smallestUnit: "second" });
    parts.push(`until ${ends}, as deployments to "${rules.name}" wait ${rules.waitMinutes} min`);
  }
  return `Waits ${parts.join(", and ")}`;
}

function reviewerPhrase({ kind, name }: Reviewer): string {
  return kind === "team" ? `team ${name}` : name;
}

function refuseRef(rules: EnvironmentRules, { ref, isProtected }: GateFacts): string | undefined {
  const { branchPolicy: policy, name } = rules;
  if (policy.kind === "all") return undefined;
  const isTag = ref.startsWith("refs/tags/");
  // The ref of a pull request is matched as it is, among the branches: "refs/pull/*/merge".
  const short = ref.replace(/^refs\/(heads|tags)\//, "");
  const what = `${isTag ? "Tag" : "Branch"} "${short}" may not deploy to "${name}"`;
  if (policy.kind === "protected") {
    return isProtected && !isTag ? undefined : `${what}: only protected branches may. Protect it, or deploy from one`;
  }
  const allowed = isTag ? policy.tags : policy.branches;
  if (allowed.some((pattern) => matchesRefPattern(pattern, short))) return undefined;
  const listed = (patterns: readonly string[]): string => patterns.join(", ") || "none";
  return `${what}: branches that may are ${listed(policy.branches)}, tags ${listed(policy.tags)}. Deploy from one of them, or change the environment`;
}

export type ReviewRight =
  | { readonly kind: "may" }
  /** `force`: as an administrator, passing the rules over. */
  | { readonly kind: "may-not"; readonly reason: string; readonly force: boolean };

/** Whether somebody may review a job of a run that `startedBy` set off. */
export function reviewRight(rules: EnvironmentRules, startedBy: string, who: Identity): ReviewRight {
  const names = who.user === undefined ? [who.name] : [who.name, who.user.name];
  const force = rules.adminsBypass && who.scopes.includes("admin");
  const groups = who.user?.groups ?? [];
  const listed = rules.reviewers.some(({ kind, name }) => (kind === "user" ? names : groups).includes(name));
  if (!listed) {
    const reviewers = rules.reviewers.map(reviewerPhrase).join(", ");
    const found = reviewers === "" ? "it asks for no review" : `its reviewers are ${reviewers}`;
    return { kind: "may-not", reason: `"${who.name}" does not review "${rules.name}": ${found}`, force };
  }
  if (rules.preventSelfReview && names.includes(startedBy)) {
    const reason = `"${who.name}" started the run, and "${rules.name}" does not let people review their own`;
    return { kind: "may-not", reason, force };
  }
  return { kind: "may" };
}
