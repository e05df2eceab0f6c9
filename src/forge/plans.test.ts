import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { outcomeOf } from "./checks.ts";
import { parseHead } from "./head-branch.ts";
import { mergeRefusal } from "./plan-merge.ts";
import { planPush } from "./plan-push.ts";
import type { CheckResult } from "./ports.ts";
import { mergeMessage, squashMessage } from "./pull-merge.ts";
import { combineStates } from "./statuses.ts";

describe("a moved branch", () => {
  const pull = {
    number: 3,
    repositoryId: "shop",
    base: { ref: "main", sha: "b1" },
    head: { ref: "feature", sha: "h1", repositoryId: "fork" },
  };
  const cases = [
    ["that is the head makes the pull request follow", "fork", "feature", "h2", { kind: "synchronize", head: "h2" }],
    ["that is the head and where it was does nothing", "fork", "feature", "h1", undefined],
    ["that is the base has it looked at again", "shop", "main", "b2", { kind: "look", base: "b2" }],
    ["that is the base and where it was does nothing", "shop", "main", "b1", undefined],
    ["of the head's name in the own repository is another one", "shop", "feature", "h2", undefined],
    ["of the base's name in the fork is another one", "fork", "main", "b2", undefined],
    ["that is gone closes it, as head", "fork", "feature", undefined, { kind: "close" }],
    ["that is gone closes it, as base", "shop", "main", undefined, { kind: "close" }],
  ] as const;
  for (const [name, repositoryId, branch, after, want] of cases) {
    test(name, () => {
      const found = planPush({ repositoryId, branch, after }, [pull]);
      assert.deepEqual(found, want === undefined ? [] : [{ ...want, number: 3 }]);
    });
  }
});

describe("a pull request is merged", () => {
  const open = {
    number: 7,
    state: "open",
    draft: false,
    mergeable: true,
    conflicts: [],
    mergedAt: null,
    head: { ref: "feature", sha: "abc", repository: "acme/shop", repositoryId: "1" },
  } as const;
  const check = (state: CheckResult["state"], required = true): CheckResult => ({
    name: "test",
    required,
    state,
    description: "",
  });
  const cases: readonly [string, object, readonly CheckResult[], string | undefined, RegExp | undefined][] = [
    ["when nothing is in its way", {}, [check("success")], "abc", undefined],
    ["when a check failed that is not required", {}, [check("failure", false)], undefined, undefined],
    ["not when a required check failed", {}, [check("failure")], undefined, /"test" \(failure\)/],
    ["not when a required check has not reported", {}, [check("expected")], undefined, /"test" \(expected\)/],
    ["not when its head is not what was seen", {}, [], "def", /Head branch was modified/],
    ["not as a draft", { draft: true }, [], undefined, /draft/],
    ["not with conflicts", { mergeable: false, conflicts: ["a.txt"] }, [], undefined, /conflicts in a\.txt/],
    ["not when its branches are strangers", { mergeable: null }, [], undefined, /no commit in common/],
    ["not when it is closed", { state: "closed" }, [], undefined, /closed/],
    ["not twice", { state: "closed", mergedAt: 1 }, [], undefined, /merged already/],
  ];
  for (const [name, change, checks, head, want] of cases) {
    test(name, () => {
      const refusal = mergeRefusal({ ...open, ...change }, checks, head);
      if (want === undefined) assert.equal(refusal, undefined);
      else assert.match(refusal?.message ?? "", want);
    });
  }
});

test("a head is a branch, of the fork of an owner, or of a named fork", () => {
  assert.deepEqual(parseHead("feature/a"), { owner: undefined, repository: undefined, branch: "feature/a" });
  assert.deepEqual(parseHead("ada:feature"), { owner: "ada", repository: undefined, branch: "feature" });
  assert.deepEqual(parseHead("ada/shop:feature"), { owner: "ada", repository: "shop", branch: "feature" });
});

test("the words of a merge say where it came from, those of a squash what it holds", () => {
  const head = { ref: "feature", sha: "abc", repository: "ada/shop", repositoryId: "1" };
  const pull = { number: 7, title: "Say four", head };
  const merge = { method: "merge", actor: "ada" } as const;
  assert.equal(mergeMessage(pull, merge), "Merge pull request #7 from ada/feature\n\nSay four");
  assert.equal(mergeMessage(pull, { ...merge, title: "Own" }), "Own");
  const squash = { method: "squash", actor: "ada" } as const;
  assert.equal(squashMessage(pull, squash, [{ message: "One\n\nWhy" }]), "Say four (#7)\n\nWhy");
  const two = [{ message: "Second" }, { message: "First" }];
  assert.equal(squashMessage(pull, squash, two), "Say four (#7)\n\n* First\n\n* Second");
});

test("statuses are as good as their worst, and open while one is missing", () => {
  assert.equal(combineStates([]), "pending");
  assert.equal(combineStates(["success", "success"]), "success");
  assert.equal(combineStates(["success", "pending"]), "pending");
  assert.equal(combineStates(["pending", "error"]), "failure");
});

test("a conclusion completes a check, and beginning anew takes it back", () => {
  const begun = { status: "in_progress", conclusion: null, completed_at: null };
  const done = outcomeOf(begun, { conclusion: "failure" }, 5);
  assert.deepEqual(done, { status: "completed", conclusion: "failure", completed_at: 5 });
  assert.deepEqual(outcomeOf(done, { name: "other" }, 9), done);
  assert.deepEqual(outcomeOf(done, { status: "queued" }, 9), {
    status: "queued",
    conclusion: null,
    completed_at: null,
  });
  assert.throws(() => outcomeOf(begun, { status: "completed" }, 5), /needs a conclusion/);
});
