import { equal } from "node:assert/strict";
import { test } from "node:test";
import { isCommit } from "../git-fetch.ts";
import { isUnsafeCheckout, trimRef } from "./unsafe-checkout.ts";

const sha = (digit: string): string => digit.repeat(40);
const repository = { id: 1, full_name: "acme/shop" };
const fork = { id: 2, full_name: "Eve/shop" };
const pull = (repo: object): object => ({
  repository,
  pull_request: { head: { sha: sha("a"), repo }, merge_commit_sha: sha("b") },
});
const mirrored = {
  repository: { id: 77, full_name: "acme/copy" },
  pull_request: { head: { sha: sha("a"), repo: repository }, base: { repo: repository } },
};
const after = (event: string, head: object): object => ({
  repository,
  workflow_run: { event, head_repository: head, head_sha: sha("c"), head_commit: { id: sha("d") } },
});

const cases: readonly (readonly [
  what: string,
  event: string,
  payload: object,
  repository: string,
  ref: string,
  unsafe: boolean,
])[] = [
  ["its ref", "pull_request_target", pull(fork), "acme/shop", "refs/pull/7/merge", true],
  ["its head's ref", "pull_request_target", pull(fork), "acme/shop", "refs/pull/7/head", true],
  ["its commit", "pull_request_target", pull(fork), "acme/shop", sha("A"), true],
  ["what merging it gives", "pull_request_target", pull(fork), "acme/shop", sha("b"), true],
  ["any branch of the fork", "pull_request_target", pull(fork), "eve/Shop", "main", true],
  ["the fork, by no ref", "pull_request_target", pull(fork), "eve/shop", "", true],
  [
    "a fork of which only the name is left",
    "pull_request_target",
    pull({ full_name: "eve/shop" }),
    "acme/shop",
    sha("a"),
    true,
  ],
  ["a branch of the repository", "pull_request_target", pull(fork), "acme/shop", "main", false],
  [
    "a branch that is called like a ref",
    "pull_request_target",
    pull(fork),
    "acme/shop",
    "refs/heads/refs/pull/7/head",
    false,
  ],
  ["a third repository", "pull_request_target", pull(fork), "acme/tools", "v1", false],
  ["a pull request of the repository itself", "pull_request_target", pull(repository), "acme/shop", sha("a"), false],
  ["the same for pull_request, which has no secrets", "pull_request", pull(fork), "acme/shop", sha("a"), false],
  ["a push", "push", { repository }, "acme/shop", sha("a"), false],
  ["what ran before", "workflow_run", after("pull_request", fork), "acme/shop", sha("c"), true],
  ["its last commit", "workflow_run", after("pull_request_review", fork), "acme/shop", sha("d"), true],
  ["the base that ran before", "workflow_run", after("pull_request_target", fork), "acme/shop", sha("c"), false],
  ["what ran before for a push", "workflow_run", after("push", fork), "acme/shop", sha("c"), false],
  ["a pull request of a repository that is mirrored", "pull_request_target", mirrored, "acme/copy", sha("a"), false],
  [
    "what ran before in a fork of which the name is told",
    "workflow_run",
    after("pull_request", { full_name: "eve/shop" }),
    "acme/shop",
    sha("c"),
    true,
  ],
  ["an event that says nothing", "pull_request_target", {}, "acme/shop", "refs/pull/7/head", false],
];
for (const [what, event, payload, wanted, ref, unsafe] of cases) {
  test(`after ${event}, checking out ${what} is ${unsafe ? "refused" : "fine"}`, () => {
    equal(isUnsafeCheckout(event, payload, { repository: wanted, ref }), unsafe);
  });
}

test("a branch whose name begins with a mark that nobody sees is no commit", () => {
  for (const mark of ["\uFEFF", "\u00A0", "\u2028"]) equal(isCommit(trimRef(` ${mark}${sha("e")}\n`)), false);
  equal(trimRef(` \t${sha("e")}\r\n`), sha("e"));
});
