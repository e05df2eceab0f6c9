/** Settings of an environment as people and programs send them, and as rules of its gate. Pure. */
import type { EnvironmentSettings } from "#api";
import { isObject, type Checked, type Problem } from "#lib";
import {
  longestWaitMinutes,
  type BranchPolicy,
  type EnvironmentRules,
  type Reviewer,
} from "../plan/environment-gate.ts";

/** Of an environment that nobody has set: nothing is asked for. */
export const openSettings: EnvironmentSettings = {
  reviewers: [],
  preventSelfReview: false,
  adminsBypass: true,
  waitMinutes: 0,
  branchPolicy: "all",
  branches: [],
  tags: [],
};

const policies = ["all", "protected", "selected"] as const;
/** GitHub's limit, so that what is set here could be set there. */
const mostReviewers = 6;
const mostPatterns = 100;
const longestPattern = 255;

/** Keys that are absent stay as they were. */
export function readSettings(body: unknown, before: EnvironmentSettings): Checked<EnvironmentSettings> {
  if (!isObject(body))
    return { problems: [{ path: "", message: 'Settings are an object, e.g. {"reviewers": ["ada"]}' }] };
  const problems: Problem[] = Object.keys(body)
    .filter((key) => !(key in openSettings))
    .map((key) => ({
      path: key,
      message: `There is no such setting. Settings are ${Object.keys(openSettings).join(", ")}`,
    }));
  function read<K extends keyof EnvironmentSettings>(
    key: K,
    check: (value: unknown) => string | undefined,
  ): EnvironmentSettings[K] {
    const value = body === null || !isObject(body) ? undefined : body[key];
    if (value === undefined) return before[key];
    const message = check(value);
    if (message === undefined) return value as EnvironmentSettings[K];
    problems.push({ path: key, message });
    return before[key];
  }
  const value: EnvironmentSettings = {
    reviewers: [...new Set(read("reviewers", reviewersProblem))],
    preventSelfReview: read("preventSelfReview", booleanProblem),
    adminsBypass: read("adminsBypass", booleanProblem),
    waitMinutes: read("waitMinutes", minutesProblem),
    branchPolicy: read("branchPolicy", policyProblem),
    branches: [...new Set(read("branches", patternsProblem))],
    tags: [...new Set(read("tags", patternsProblem))],
  };
  if (value.branchPolicy !== "selected" && value.branches.length + value.tags.length > 0) {
    if (isGiven(body["branches"]) || isGiven(body["tags"])) {
      const message = `Branches and tags count with the policy "selected" only: it is "${value.branchPolicy}"`;
      problems.push({ path: "branchPolicy", message });
    }
    return finished({ ...value, branches: [], tags: [] }, problems);
  }
  return finished(value, problems);
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function finished(value: EnvironmentSettings, problems: readonly Problem[]): Checked<EnvironmentSettings> {
  return problems.length > 0 ? { problems } : { value, problems };
}

function reviewersProblem(value: unknown): string | undefined {
  if (!isTexts(value)) return "Reviewers are a list of names";
  if (value.length > mostReviewers)
    return `There are ${value.length} reviewers of ${mostReviewers} allowed. Name a team`;
  const wrong = value.find(
    (text) => !/^(?:team:|(?!team:))[^\s:/][^\p{Cc}]{0,99}$/u.test(text) || text.startsWith("run/"),
  );
  return wrong === undefined
    ? undefined
    : `"${wrong.slice(0, 50)}" is no reviewer: write the name of a token or user, or team:<group>`;
}

function patternsProblem(value: unknown): string | undefined {
  if (!isTexts(value)) return "A list of name patterns is needed";
  if (value.length > mostPatterns) return `There are ${value.length} patterns of ${mostPatterns} allowed`;
  const wrong = value.find((text) => text.trim() === "" || text.length > longestPattern || /\p{Cc}/u.test(text));
  if (wrong !== undefined) return `A pattern has 1 to ${longestPattern} characters, none of them a control character`;
  // No branch or tag may have a bracket in its name, so it would match nothing.
  const open = value.find((text) => /\[(?![^\]]+\])/.test(text));
  return open === undefined ? undefined : `"${open}" has a "[" that nothing closes`;
}

function minutesProblem(value: unknown): string | undefined {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= longestWaitMinutes)
    return undefined;
  return `A whole number of minutes from 0 to ${longestWaitMinutes} (30 days) is needed: found ${JSON.stringify(value)}`;
}

function policyProblem(value: unknown): string | undefined {
  return policies.some((policy) => policy === value)
    ? undefined
    : `The policy is one of ${policies.join(", ")}: found ${JSON.stringify(value)}`;
}

function booleanProblem(value: unknown): string | undefined {
  return typeof value === "boolean" ? undefined : `true or false is needed: found ${JSON.stringify(value)}`;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

export function rulesOf(name: string, settings: EnvironmentSettings): EnvironmentRules {
  const { preventSelfReview, adminsBypass, waitMinutes } = settings;
  return {
    name,
    reviewers: settings.reviewers.map(reviewerOf),
    preventSelfReview,
    adminsBypass,
    waitMinutes,
    branchPolicy: policyOf(settings),
  };
}

/** Whether a job has to pass anything at all. */
export function isProtected({ reviewers, waitMinutes, branchPolicy }: EnvironmentSettings): boolean {
  return reviewers.length > 0 || waitMinutes > 0 || branchPolicy !== "all";
}

function reviewerOf(text: string): Reviewer {
  return text.startsWith("team:") ? { kind: "team", name: text.slice(5) } : { kind: "user", name: text };
}

function policyOf({ branchPolicy, branches, tags }: EnvironmentSettings): BranchPolicy {
  return branchPolicy === "selected" ? { kind: "selected", branches, tags } : { kind: branchPolicy };
}
