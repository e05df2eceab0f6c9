import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Identity } from "#api";
import {
  judgeGate,
  nextJudgement,
  reviewRight,
  waitText,
  type EnvironmentRules,
  type Gate,
  type GateFacts,
} from "./environment-gate.ts";
import { matchesRefPattern } from "./ref-pattern.ts";
import { simulate } from "./simulation.ts";

const minute = 60_000;
const day = 24 * 60 * minute;

function rules(values: Partial<EnvironmentRules> = {}): EnvironmentRules {
  return {
    name: "production",
    reviewers: [],
    preventSelfReview: false,
    adminsBypass: true,
    waitMinutes: 0,
    branchPolicy: { kind: "all" },
    ...values,
  };
}

const ada = { kind: "user", name: "ada" } as const;
const platform = { kind: "team", name: "platform" } as const;
const open: Gate = { environment: "Production", openedMs: 0 };
const approved = { state: "approved", actor: "ada", comment: "", forced: false } as const;

interface Case {
  readonly name: string;
  readonly rules?: Partial<EnvironmentRules>;
  readonly gate?: Partial<Gate>;
  readonly facts?: Partial<GateFacts>;
  readonly want: string | RegExp;
}

const selected = { kind: "selected", branches: ["main", "release/*"], tags: ["v*"] } as const;
const cases: readonly Case[] = [
  { name: "nothing is asked for: the job passes", want: "pass" },
  { name: "a reviewer has to approve", rules: { reviewers: [ada] }, want: "waits for review" },
  { name: "an approval lets it pass", rules: { reviewers: [ada] }, gate: { review: approved }, want: "pass" },
  {
    name: "a rejection fails it, with who and why",
    rules: { reviewers: [ada] },
    gate: { review: { ...approved, state: "rejected", comment: "Friday" } },
    want: /^Rejected for "production" by ada: Friday$/,
  },
  { name: "a timer runs from the arrival", rules: { waitMinutes: 30 }, facts: { epochMs: 29 * minute }, want: "waits" },
  {
    name: "a timer that is over lets it pass",
    rules: { waitMinutes: 30 },
    facts: { epochMs: 30 * minute },
    want: "pass",
  },
  {
    name: "an approval does not end the timer",
    rules: { waitMinutes: 30, reviewers: [ada] },
    gate: { review: approved },
    facts: { epochMs: 1 },
    want: "waits",
  },
  {
    name: "the end of the timer is no approval",
    rules: { waitMinutes: 30, reviewers: [ada] },
    facts: { epochMs: 31 * minute },
    want: "waits for review",
  },
  {
    name: "a forced approval ends timer and review",
    rules: { waitMinutes: 30, reviewers: [ada] },
    gate: { review: { ...approved, forced: true } },
    want: "pass",
  },
  {
    name: "nobody approves for thirty days",
    rules: { reviewers: [ada] },
    facts: { epochMs: 30 * day },
    want: /Nobody approved .* within 30 days/,
  },
  {
    name: "a timer of thirty days is no missing approval",
    rules: { waitMinutes: 43_200 },
    facts: { epochMs: 30 * day - 1 },
    want: "waits",
  },
  { name: "a branch of the policy may", rules: { branchPolicy: selected }, want: "pass" },
  {
    name: "a branch that the policy does not name may not, not even when somebody forces it",
    rules: { branchPolicy: selected },
    gate: { review: { ...approved, forced: true } },
    facts: { ref: "refs/heads/feature/x" },
    want: /^Branch "feature\/x" may not deploy to "production": branches that may are main, release\/\*, tags v\*/,
  },
  {
    name: "a tag is held against the tags, not against the branches",
    rules: { branchPolicy: { ...selected, tags: [] } },
    facts: { ref: "refs/tags/main" },
    want: /^Tag "main" may not deploy .* tags none/,
  },
  {
    name: "a tag of the policy may",
    rules: { branchPolicy: selected },
    facts: { ref: "refs/tags/v1.2" },
    want: "pass",
  },
  {
    name: "a pull request is held against the branches by its ref",
    rules: { branchPolicy: { ...selected, branches: ["refs/pull/*/merge"] } },
    facts: { ref: "refs/pull/7/merge" },
    want: "pass",
  },
  {
    name: "only protected branches may",
    rules: { branchPolicy: { kind: "protected" } },
    want: /only protected branches may/,
  },
  {
    name: "a protected branch may",
    rules: { branchPolicy: { kind: "protected" } },
    facts: { isProtected: true },
    want: "pass",
  },
  {
    name: "an environment that was deleted meanwhile lets nobody pass",
    gate: { environment: "gone", review: { ...approved, forced: true } },
    want: /"gone" was deleted while the job waited/,
  },
];

describe("the gate of an environment", () => {
  for (const { name, rules: own, gate, facts, want } of cases) {
    test(name, () => {
      const all: GateFacts = {
        rules: new Map([["production", rules(own)]]),
        ref: "refs/heads/main",
        isProtected: false,
        epochMs: 0,
        ...facts,
      };
      const passage = judgeGate({ ...open, ...gate }, all);
      const got =
        passage.kind === "refuse"
          ? passage.message
          : passage.kind === "pass"
            ? "pass"
            : passage.review
              ? "waits for review"
              : "waits";
      if (want instanceof RegExp) assert.match(got, want);
      else assert.equal(got, want);
    });
  }

  test("a wait says for whom and until when, and when to look again", () => {
    const own = rules({ reviewers: [ada, platform], waitMinutes: 90 });
    const passage = judgeGate(open, {
      rules: new Map([["production", own]]),
      ref: "refs/heads/main",
      isProtected: false,
      epochMs: 0,
    });
    assert.ok(passage.kind === "wait");
    assert.equal(
      waitText(own, passage),
      'Waits for ada or team platform to approve the deployment to "production", and until 1970-01-01T01:30:00Z, as deployments to "production" wait 90 min',
    );
    assert.equal(nextJudgement(passage), 90 * minute);
  });
});

describe("who may review", () => {
  const who = (name: string, values: Partial<Identity> = {}): Identity => ({ name, scopes: ["api:write"], ...values });
  const team = who("laptop", { user: { name: "grace", groups: ["platform"] } });
  const own = { reviewers: [ada, platform] };
  const rights: readonly { name: string; rules: Partial<EnvironmentRules>; who: Identity; want: string }[] = [
    { name: "a reviewer by name", rules: own, who: who("ada"), want: "may" },
    { name: "a token of the user", rules: own, who: who("x", { user: { name: "ada", groups: [] } }), want: "may" },
    { name: "a member of a team", rules: own, who: team, want: "may" },
    { name: "a user with the name of a team does not", rules: own, who: who("platform"), want: "may not" },
    { name: "somebody else does not", rules: own, who: who("bob"), want: "may not" },
    { name: "an administrator may by force", rules: own, who: who("root", { scopes: ["admin"] }), want: "may force" },
    {
      name: "an administrator may not where rules hold for all",
      rules: { ...own, adminsBypass: false },
      who: who("root", { scopes: ["admin"] }),
      want: "may not",
    },
    {
      name: "who started the run does not review it",
      rules: { ...own, preventSelfReview: true },
      who: who("ada"),
      want: "may not",
    },
    {
      name: "not even by another token",
      rules: { ...own, preventSelfReview: true },
      who: who("a2", { user: { name: "ada", groups: ["platform"] } }),
      want: "may not",
    },
    { name: "another reviewer does", rules: { ...own, preventSelfReview: true }, who: team, want: "may" },
  ];
  for (const { name, rules: given, who: identity, want } of rights) {
    test(name, () => {
      const right = reviewRight(rules(given), "ada", identity);
      assert.equal(right.kind === "may" ? "may" : right.force ? "may force" : "may not", want);
    });
  }
});

const patterns: readonly (readonly [string, string, boolean])[] = [
  ["main", "main", true],
  ["main", "maintenance", false],
  ["*", "main", true],
  ["*", "feature/x", false],
  ["release/*", "release/1.0", true],
  ["release/*", "release/1/2", false],
  ["release/*/*", "release/1/2", true],
  ["**/hotfix", "hotfix", true],
  ["**/hotfix", "a/b/hotfix", true],
  ["a/**/b", "a/b", true],
  ["a/**", "a/b/c", false],
  ["v?", "v1", true],
  ["v?", "v12", false],
  ["v[0-9].[!0-4]", "v1.7", true],
  ["v[0-9].[!0-4]", "v1.3", false],
  ["\\*", "*", true],
  ["\\*", "a", false],
  ["*a*a*a*a*b", "a".repeat(200), false],
];
for (const [pattern, name, want] of patterns) {
  test(`pattern ${pattern} ${want ? "takes" : "does not take"} ${name.slice(0, 20)}`, () => {
    assert.equal(matchesRefPattern(pattern, name), want);
  });
}

describe("a run whose job deploys", () => {
  const guarded = new Map([["production", rules({ reviewers: [ada] })]]);
  const jobs = { build: "", deploy: "needs: build, environment: production", tell: "needs: deploy" };

  test("stops at the gate, goes on when it is let, and its needs follow", () => {
    const run = simulate(jobs);
    run.rules = guarded;
    run.end("build", "success");
    assert.deepEqual(run.states(), { build: "success", deploy: "waiting", tell: "waiting" });
    assert.equal(run.review("deploy", "approved").state("deploy"), "queued");
    run.end("deploy", "success");
    assert.equal(run.state("tell"), "queued");
  });

  test("fails when it is rejected", () => {
    const run = simulate(jobs);
    run.rules = guarded;
    run.end("build", "success").review("deploy", "rejected");
    assert.deepEqual([run.state("deploy"), run.state("tell"), run.conclusion], ["failure", "skipped", "failure"]);
  });

  test("is cancelled while it waits", () => {
    const run = simulate(jobs);
    run.rules = guarded;
    run.end("build", "success");
    run.cancelRequested = true;
    assert.equal(run.settle().conclusion, "cancelled");
  });

  test("goes on when its timer is over", () => {
    const run = simulate({ deploy: "needs: build, environment: production", build: "" });
    run.rules = new Map([["production", rules({ waitMinutes: 5 })]]);
    run.end("build", "success");
    run.epochMs = 5 * minute - 1;
    assert.equal(run.settle().state("deploy"), "waiting");
    run.epochMs = 5 * minute;
    assert.equal(run.settle().state("deploy"), "queued");
  });

  test("joins its concurrency group first, and holds it at the gate", () => {
    const run = simulate({ build: "", deploy: "needs: build, environment: production, concurrency: shop" });
    run.rules = guarded;
    run.end("build", "success");
    assert.equal(run.jobs.find(({ id }) => id === "deploy")?.gate, undefined);
    run.admit("deploy");
    assert.equal(run.jobs.find(({ id }) => id === "deploy")?.gate?.environment, "production");
    assert.equal(run.review("deploy", "approved").state("deploy"), "queued");
  });

  test("makes no environment where there are too many, and deploys to those that are there", () => {
    const many = new Map(Array.from({ length: 500 }, (_, at) => [`e${at}`, rules({ name: `e${at}` })]));
    const run = simulate({
      build: "",
      known: "needs: build, environment: E7",
      fresh: "needs: build, environment: e500",
    });
    run.rules = many;
    run.end("build", "success");
    assert.deepEqual([run.state("known"), run.state("fresh")], ["queued", "failure"]);
    assert.match(run.messages[0] ?? "", /Cannot make environment "e500": the repository has 500 of 500 allowed/);
  });

  test("keeps to max-parallel at the gate, each combination at a gate of its own", () => {
    const matrix = "strategy: {max-parallel: 1, matrix: {to: [staging, production]}}";
    const run = simulate({ build: "", deploy: `needs: build, ${matrix}, environment: "\${{ matrix.to }}"` });
    run.rules = new Map([["staging", rules({ name: "staging", reviewers: [ada] })], ...guarded]);
    run.end("build", "success");
    const gates = (): readonly (string | undefined)[] => run.jobs.slice(1).map(({ gate }) => gate?.environment);
    assert.deepEqual(gates(), ["staging", undefined]);
    run.review("deploy", "approved").end("deploy", "success");
    assert.deepEqual(gates(), ["staging", "production"]);
  });
});
