import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { planMirror } from "./plan-mirror.ts";
import { readRemote } from "./remotes.ts";
import { deliveryHead, isSigned, localPayload, readNews } from "./webhook.ts";

const body = Buffer.from('{"zen":"Keep it logically awesome."}');
const digest = createHmac("sha256", "secret").update(body).digest("hex");

describe("a webhook counts as signed", () => {
  const cases: readonly [string, Record<string, string>, string, boolean][] = [
    ["by GitHub", { "x-hub-signature-256": `sha256=${digest}` }, "secret", true],
    ["by Gitea", { "x-gitea-signature": digest }, "secret", true],
    ["by Forgejo", { "x-forgejo-signature": digest }, "secret", true],
    ["not with another secret", { "x-gitea-signature": digest }, "other", false],
    ["not without a secret", { "x-gitea-signature": createHmac("sha256", "").update(body).digest("hex") }, "", false],
    ["not without a signature", {}, "secret", false],
    ["not by the old digest", { "x-hub-signature": `sha1=${digest}` }, "secret", false],
  ];
  for (const [name, headers, secret, want] of cases) {
    test(name, () => assert.equal(isSigned(headers, body, secret), want));
  }
});

test("a delivery is known by the header of whoever sent it", () => {
  assert.deepEqual(deliveryHead({ "x-github-delivery": "1", "x-github-event": "push" }), { id: "1", event: "push" });
  assert.deepEqual(deliveryHead({ "x-forgejo-delivery": "2", "x-forgejo-event": "push" }), { id: "2", event: "push" });
  assert.equal(deliveryHead({ "x-github-event": "push" }), undefined);
});

test("pushes are fetched, states of pull requests are told in GitHub's words, and the rest is left", () => {
  const sha = "a".repeat(40);
  const pull = { number: 3, base: { ref: "main", sha }, head: { ref: "topic", sha } };
  const sender = { login: "ada" };
  assert.deepEqual(readNews("push", { sender }), { kind: "fetch", sender: "ada" });
  const news = readNews("pull_request_sync", { action: "synchronized", number: 3, pull_request: pull, sender });
  assert.equal(news.kind === "pull" && news.action, "synchronize");
  assert.equal(readNews("ping", {}).kind, "nothing");
  // Gitea tells of labels without saying which, and of those that went in a word of its own.
  for (const [said, want] of [
    ["label_updated", "labeled"],
    ["label_cleared", "unlabeled"],
    ["review_requested", "review_requested"],
  ] as const) {
    const told = readNews("pull_request", { action: said, number: 3, pull_request: pull, sender });
    assert.equal(told.kind === "pull" && told.action, want);
  }
  assert.equal(
    readNews("pull_request_approved", { action: "reviewed", number: 3, pull_request: pull }).kind,
    "nothing",
  );
  assert.equal(readNews("pull_request_review", { action: "submitted", number: 3, pull_request: pull }).kind, "nothing");
  const bad = { ...pull, head: { ref: "topic", sha: "--upload-pack=x" } };
  assert.equal(readNews("pull_request", { action: "opened", number: 3, pull_request: bad }).kind, "nothing");
});

test("a pull request that is merged says what it became, and each of which repository it is", () => {
  const [sha, merge] = ["a".repeat(40), "b".repeat(40)];
  const read = (pull: object): unknown => {
    const pull_request = { base: { ref: "main", sha }, head: { ref: "topic", sha }, ...pull };
    const repository = { full_name: "up/stream" };
    const news = readNews("pull_request", { action: "closed", number: 3, pull_request, repository });
    return news.kind === "pull" && [news.merged, news.about];
  };
  assert.deepEqual(read({ merged: true, merge_commit_sha: merge }), [merge, "up/stream"]);
  // GitHub names the merge it tried there while nothing is merged.
  assert.deepEqual(read({ merged: false, merge_commit_sha: merge }), [undefined, "up/stream"]);
  assert.deepEqual(read({ merged: true, merge_commit_sha: "--upload-pack=x" }), [undefined, "up/stream"]);
});

test("a head is the mirror's own only when it is the mirrored repository's own", () => {
  const names = { remote: "up/stream", local: "acme/shop" };
  const headOf = (full_name: string): unknown => {
    const pull_request = { head: { repo: { full_name } }, base: { repo: { full_name: "up/stream" } } };
    const local = localPayload({ pull_request, repository: {} }, names, "opened")["pull_request"];
    return (local as { head: { repo: { full_name: string } } }).head.repo.full_name;
  };
  assert.equal(headOf("Up/Stream"), "acme/shop");
  assert.equal(headOf("mallory/stream"), "elsewhere/mallory/stream");
  assert.equal(headOf("acme/shop"), "elsewhere/acme/shop");
});

test("a mirror follows branches and tags, lets go first, and keeps what is its own", () => {
  const [a, b, none] = ["a".repeat(40), "b".repeat(40), "0".repeat(40)];
  const here = new Map([
    ["refs/heads/main", a],
    ["refs/heads/old", a],
    ["refs/pull/1/head", a],
  ]);
  const there = new Map([
    ["refs/heads/main", b],
    ["refs/tags/v1", a],
    ["refs/pull/9/head", b],
  ]);
  assert.deepEqual(planMirror(here, there), [
    { ref: "refs/heads/old", before: a, after: none },
    { ref: "refs/heads/main", before: a, after: b },
    { ref: "refs/tags/v1", before: none, after: a },
  ]);
});

test("a remote is read by its URL, and what cannot be one is refused", () => {
  const github = readRemote({ url: "https://github.com/acme/shop" });
  assert.deepEqual(github, {
    kind: "github",
    url: "https://github.com/acme/shop.git",
    apiUrl: "https://api.github.com",
    name: "acme/shop",
  });
  const forgejo = readRemote({ url: "https://git.example.com/acme/shop.git/", kind: "forgejo" });
  assert.equal(forgejo.apiUrl, "https://git.example.com/api/v1");
  for (const url of [
    "file:///etc",
    "https://git.example.com/acme/shop",
    "https://a:b@github.com/acme/shop",
    "https://github.com/acme",
  ]) {
    assert.throws(() => readRemote({ url }), { code: "forge/invalid" });
  }
});
