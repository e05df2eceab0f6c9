/** Story: a team works by pull requests, and GitHub's own client finds everything where it looks for it. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Octokit } from "@octokit/rest";
import type { RunDetail, RunSummary } from "#api";
import { openBrowser, openPage, skipWithoutBrowser } from "../support/browser.ts";
import { skipWithout } from "../support/needs.ts";
import { shoot } from "../support/screenshot.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { until } from "../support/until.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

/** Says what its token and its secrets are worth; the answers of the server are the verdict. */
const check = `
name: Check
on: { pull_request: { types: [opened, synchronize, reopened, labeled, ready_for_review, closed] } }
permissions: { contents: write, statuses: write, pull-requests: write }
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - env:
          SECRET: "\${{ secrets.DEPLOY_KEY }}"
          TOKEN: "\${{ secrets.GITHUB_TOKEN }}"
        run: |
          echo "action=\${{ github.event.action }} head=\${{ github.event.pull_request.head.sha }} ref=$GITHUB_REF"
          echo "\${{ github.event.pull_request.commits }} commits, \${{ github.event.pull_request.changed_files }} files"
          echo "secret is \${SECRET:-absent}" | sed 's/hunter2-and-more/known/'
          answer=$(curl -s -o /dev/null -w '%{http_code}' -X POST -H "authorization: Bearer $TOKEN" \\
            -d '{"state":"success","context":"from the job"}' \\
            "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/statuses/\${{ github.event.pull_request.head.sha }}")
          echo "status answered $answer"
          answer=$(curl -s -o /dev/null -w '%{http_code}' -H "authorization: Bearer $TOKEN" \\
            "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/contents/app.txt")
          echo "reading answered $answer"
          answer=$(curl -s -o /dev/null -w '%{http_code}' -H "authorization: Bearer $TOKEN" \\
            "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues")
          echo "issues answered $answer"
`;

function clientOf(tidegate: Tidegate, token = tidegate.adminToken): Octokit {
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  return new Octokit({ auth: token, baseUrl: `${tidegate.url}/api/v3`, log: quiet });
}

async function statusOf(work: Promise<unknown>): Promise<number> {
  try {
    await work;
    return 200;
  } catch (error) {
    return (error as { status?: number }).status ?? 0;
  }
}

describe("the forge", { skip: skipWithout("git") || skipWithout("curl") }, () => {
  let tidegate: Tidegate;
  let copy: WorkCopy;
  let octokit: Octokit;
  const at = { owner: "acme", repo: "shop" };

  before(async () => {
    tidegate = await startTidegate();
    copy = await newRepository(tidegate, "acme/shop");
    await copy.push("Begin", { "app.txt": "one\ntwo\nthree\n", ".github/workflows/check.yml": check });
    octokit = clientOf(tidegate);
  });
  after(async () => await tidegate[Symbol.asyncDispose]());

  async function ended(ref: string, sha: string, action: string): Promise<{ run: RunDetail; log: string }> {
    return await until(tidegate, `the run of ${action} at ${sha}`, async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs?repository=acme/shop");
      for (const one of items.filter((run) => run.ref === ref && run.status === "completed")) {
        const run = await tidegate.api<RunDetail>(`/runs/${one.id}`);
        const job = run.jobs[0]?.id ?? "";
        const answer = await octokit.rest.actions.downloadJobLogsForWorkflowRun({ ...at, job_id: Number(job) });
        const log = String(answer.data);
        if (log.includes(`action=${action} head=${sha}`)) return { run, log };
      }
      return undefined;
    });
  }

  test("its commits, trees and files are read, compared and written by commits", async () => {
    const { data: repository } = await octokit.rest.repos.get(at);
    assert.equal(repository.default_branch, "main");
    const { data: file } = await octokit.rest.repos.getContent({ ...at, path: "app.txt" });
    assert.ok(!Array.isArray(file) && file.type === "file");
    assert.equal(Buffer.from(file.content, "base64").toString(), "one\ntwo\nthree\n");
    const write = { ...at, path: "notes/a.txt", message: "Note", content: Buffer.from("hello\n").toString("base64") };
    const { data: made, status } = await octokit.rest.repos.createOrUpdateFileContents({ ...write, branch: "main" });
    assert.equal(status, 201);
    const sha = made.content?.sha ?? "";
    assert.equal(await statusOf(octokit.rest.repos.createOrUpdateFileContents({ ...write, branch: "main" })), 422);
    const stale = { ...write, branch: "main", sha: "0".repeat(40) };
    assert.equal(await statusOf(octokit.rest.repos.createOrUpdateFileContents(stale)), 409);
    const again = { ...write, branch: "main", sha, content: Buffer.from("hello again\n").toString("base64") };
    await octokit.rest.repos.createOrUpdateFileContents(again);
    await copy.git(["pull", "--quiet", "origin", "main"]);
    assert.equal((await copy.git(["show", "HEAD:notes/a.txt"])).stdout, "hello again\n");
    const begin = made.commit.parents?.[0]?.sha ?? "";
    const { data: compared } = await octokit.rest.repos.compareCommits({ ...at, base: begin, head: "main" });
    assert.equal(compared.status, "ahead");
    assert.equal(compared.ahead_by, 2);
    assert.match(compared.files?.[0]?.patch ?? "", /^@@ -0,0 \+1 @@\n\+hello again/);
    const commits = await octokit.paginate(octokit.rest.repos.listCommits, { ...at, per_page: 1 });
    assert.deepEqual(
      commits.map((commit) => commit.commit.message),
      ["Note", "Note", "Begin"],
    );
  });

  test("a tree, a commit and a branch are made of objects, and what protects a branch protects it here", async () => {
    const { data: main } = await octokit.rest.git.getRef({ ...at, ref: "heads/main" });
    const { data: commit } = await octokit.rest.git.getCommit({ ...at, commit_sha: main.object.sha });
    const { data: blob } = await octokit.rest.git.createBlob({ ...at, content: "binary\0", encoding: "utf-8" });
    const { data: tree } = await octokit.rest.git.createTree({
      ...at,
      base_tree: commit.tree.sha,
      tree: [
        { path: "bin/tool", mode: "100755", type: "blob", sha: blob.sha },
        { path: "notes/a.txt", mode: "100644", type: "blob", sha: null },
      ],
    });
    const parents = [main.object.sha];
    const { data: made } = await octokit.rest.git.createCommit({ ...at, message: "By hand", tree: tree.sha, parents });
    await octokit.rest.git.createRef({ ...at, ref: "refs/heads/objects", sha: made.sha });
    const { data: whole } = await octokit.rest.git.getTree({ ...at, tree_sha: "objects", recursive: "1" });
    const paths = whole.tree.filter((entry) => entry.type === "blob").map((entry) => `${entry.mode} ${entry.path}`);
    assert.deepEqual(paths, ["100644 .github/workflows/check.yml", "100644 app.txt", "100755 bin/tool"]);
    assert.equal(await statusOf(octokit.rest.git.createRef({ ...at, ref: "refs/heads/objects", sha: made.sha })), 422);
    const back = { ...at, ref: "heads/objects", sha: main.object.sha };
    assert.equal(await statusOf(octokit.rest.git.updateRef(back)), 422);
    await tidegate.api("/repositories/acme/shop/protections", { method: "PUT", body: { branch: "objects" } });
    assert.equal(await statusOf(octokit.rest.git.updateRef({ ...back, force: true })), 422);
    assert.equal(await statusOf(octokit.rest.git.deleteRef({ ...at, ref: "heads/objects" })), 422);
  });

  test("a branch is merged into another, as far as they agree, and content that is no Base64 is refused", async () => {
    const { data: main } = await octokit.rest.git.getRef({ ...at, ref: "heads/main" });
    for (const branch of ["left", "right"]) {
      await octokit.rest.git.createRef({ ...at, ref: `refs/heads/${branch}`, sha: main.object.sha });
      const write = {
        ...at,
        path: "side.txt",
        message: branch,
        branch,
        content: Buffer.from(branch).toString("base64"),
      };
      await octokit.rest.repos.createOrUpdateFileContents(write);
      assert.equal(
        await statusOf(octokit.rest.repos.createOrUpdateFileContents({ ...write, path: "x", content: "!!" })),
        422,
      );
    }
    assert.equal(await statusOf(octokit.rest.repos.merge({ ...at, base: "left", head: "nowhere" })), 404);
    await octokit.rest.git.createRef({ ...at, ref: "refs/heads/third", sha: main.object.sha });
    const other = { ...at, path: "third.txt", message: "third", branch: "third", content: "eA==\n" };
    await octokit.rest.repos.createOrUpdateFileContents(other);
    const { data: merged } = await octokit.rest.repos.merge({
      ...at,
      base: "left",
      head: "third",
      commit_message: "Both",
    });
    assert.equal(merged.parents.length, 2);
    assert.equal((await octokit.rest.repos.merge({ ...at, base: "left", head: "third" })).status, 204);
    assert.equal(await statusOf(octokit.rest.repos.merge({ ...at, base: "left", head: "right" })), 409);
  });

  test("statuses and check runs are made, counted together and listed with their annotations", async () => {
    const { data: main } = await octokit.rest.git.getRef({ ...at, ref: "heads/main" });
    const { sha } = main.object;
    await octokit.rest.repos.createCommitStatus({ ...at, sha, state: "failure", context: "lint" });
    await octokit.rest.repos.createCommitStatus({ ...at, sha, state: "success", context: "lint", description: "fine" });
    await octokit.rest.repos.createCommitStatus({ ...at, sha, state: "pending", context: "slow" });
    const { data: combined } = await octokit.rest.repos.getCombinedStatusForRef({ ...at, ref: "main" });
    assert.equal(combined.state, "pending");
    assert.deepEqual(
      combined.statuses.map((status) => `${status.context} ${status.state}`),
      ["slow pending", "lint success"],
    );
    const wrong = { ...at, sha, state: "great" as "success" };
    assert.equal(await statusOf(octokit.rest.repos.createCommitStatus(wrong)), 422);
    const { data: run } = await octokit.rest.checks.create({
      ...at,
      name: "coverage",
      head_sha: sha,
      status: "in_progress",
    });
    const annotation = {
      path: "app.txt",
      start_line: 2,
      end_line: 2,
      annotation_level: "warning",
      message: "Odd",
    } as const;
    await octokit.rest.checks.update({
      ...at,
      check_run_id: run.id,
      conclusion: "neutral",
      output: { title: "93 %", summary: "Nearly all", annotations: [annotation] },
    });
    const { data: listed } = await octokit.rest.checks.listForRef({ ...at, ref: sha, check_name: "coverage" });
    assert.equal(listed.check_runs[0]?.conclusion, "neutral");
    assert.equal(listed.check_runs[0]?.output.annotations_count, 1);
    const { data: notes } = await octokit.rest.checks.listAnnotations({ ...at, check_run_id: run.id });
    assert.equal(notes[0]?.message, "Odd");
  });

  test("a pull request of the own repository runs with secrets, shows its checks, and is merged when they passed", async () => {
    const secret = { name: "DEPLOY_KEY", value: "hunter2-and-more" };
    await tidegate.api("/secrets/acme/shop", { method: "PUT", body: secret });
    await copy.git(["checkout", "--quiet", "-b", "feature", "origin/main"]);
    await copy.git(["pull", "--quiet", "--ff-only", "origin", "main"]);
    const first = await copy.commit("Say four", { "app.txt": "one\ntwo\nthree\nfour\n" });
    await copy.git(["push", "--quiet", "origin", "feature"]);
    const wanted = { ...at, title: "Four", head: "feature", base: "main", body: "More" };
    const { data: pull } = await octokit.rest.pulls.create(wanted);
    assert.equal(pull.mergeable, true);
    assert.equal(pull.changed_files, 1);
    assert.equal(await statusOf(octokit.rest.pulls.create(wanted)), 422);
    const ref = `refs/pull/${pull.number}/merge`;
    const opened = await ended(ref, first, "opened");
    assert.match(opened.log, /1 commits, 1 files\n[^]*(?:secret is \*\*\*|secret is known)/);
    assert.match(opened.log, /status answered 201/);
    assert.match(opened.log, /reading answered 200/);
    assert.match(opened.log, /issues answered 200/);
    assert.equal(opened.run.conclusion, "success");
    const { data: checks } = await octokit.rest.checks.listForRef({ ...at, ref: first });
    assert.deepEqual(
      checks.check_runs.map((one) => `${one.name} ${one.conclusion}`),
      ["test success"],
    );
    const protection = { branch: "main", requiredChecks: ["test", "approved by hand"] };
    await tidegate.api("/repositories/acme/shop/protections", { method: "PUT", body: protection });
    assert.equal(await statusOf(octokit.rest.pulls.merge({ ...at, pull_number: pull.number })), 405);
    const second = await copy.commit("Say five", { "app.txt": "one\ntwo\nthree\nfour\nfive\n" });
    await copy.git(["push", "--quiet", "origin", "feature"]);
    await ended(ref, second, "synchronize");
    await octokit.rest.repos.createCommitStatus({ ...at, sha: second, state: "success", context: "approved by hand" });
    assert.equal(await statusOf(octokit.rest.pulls.merge({ ...at, pull_number: pull.number, sha: first })), 409);
    const { data: merged } = await octokit.rest.pulls.merge({
      ...at,
      pull_number: pull.number,
      merge_method: "squash",
    });
    assert.equal(merged.merged, true);
    await copy.git(["fetch", "--quiet", "origin", "main"]);
    assert.equal((await copy.git(["log", "-1", "--format=%s", "origin/main"])).stdout.trim(), `Four (#${pull.number})`);
    assert.equal((await copy.git(["show", "origin/main:app.txt"])).stdout, "one\ntwo\nthree\nfour\nfive\n");
    const { data: after } = await octokit.rest.pulls.get({ ...at, pull_number: pull.number });
    assert.equal(after.state, "closed");
    assert.equal(after.merged, true);
    await ended("refs/heads/main", second, "closed");
  });

  test("a pull request of a fork gets no secret, and a token that may only read", async () => {
    await octokit.rest.repos.createFork({ ...at, organization: "mallory" });
    const { secret } = await tidegate.api<{ secret: string }>("/tokens", {
      method: "POST",
      body: {
        name: "mallory",
        scopes: ["git:write:mallory/shop", "git:read:acme/shop", "pull-requests:write:acme/shop"],
      },
    });
    const stranger = clientOf(tidegate, secret);
    const file = { owner: "mallory", repo: "shop", path: "app.txt", branch: "main", message: "Steal" };
    const { data: there } = await stranger.rest.repos.getContent({ ...file, ref: "main" });
    assert.ok(!Array.isArray(there));
    const content = Buffer.from("gone\n").toString("base64");
    const { data: made } = await stranger.rest.repos.createOrUpdateFileContents({ ...file, content, sha: there.sha });
    assert.equal(
      await statusOf(stranger.rest.repos.createOrUpdateFileContents({ ...file, ...at, content, sha: there.sha })),
      403,
    );
    const { data: pull } = await stranger.rest.pulls.create({
      ...at,
      title: "Please",
      head: "mallory:main",
      base: "main",
    });
    const sha = made.commit.sha ?? "";
    assert.equal(pull.head.repo?.full_name, "mallory/shop");
    const { log, run } = await ended(`refs/pull/${pull.number}/merge`, sha, "opened");
    assert.match(log, /secret is absent/);
    assert.match(log, /status answered 403/);
    assert.match(log, /reading answered 200/);
    assert.match(log, /issues answered 200/);
    assert.equal(run.actor, "mallory");
    assert.equal(await statusOf(stranger.rest.pulls.merge({ ...at, pull_number: pull.number })), 403);
    const { data: closed } = await octokit.rest.pulls.update({ ...at, pull_number: pull.number, state: "closed" });
    assert.equal(closed.merged, false);
  });

  test("issues, comments and labels do what scripts of actions do with them", async () => {
    const { data: issue } = await octokit.rest.issues.create({ ...at, title: "Broken", labels: ["bug"] });
    const { data: comment } = await octokit.rest.issues.createComment({
      ...at,
      issue_number: issue.number,
      body: "Why?",
    });
    await octokit.rest.issues.updateComment({ ...at, comment_id: comment.id, body: "Why, though?" });
    const comments = await octokit.paginate(octokit.rest.issues.listComments, { ...at, issue_number: issue.number });
    assert.deepEqual(
      comments.map((one) => `${one.user?.login}: ${one.body}`),
      ["admin: Why, though?"],
    );
    await octokit.rest.issues.addLabels({ ...at, issue_number: issue.number, labels: ["later"] });
    await octokit.rest.issues.removeLabel({ ...at, issue_number: issue.number, name: "bug" });
    await octokit.rest.issues.update({ ...at, issue_number: issue.number, state: "closed" });
    const { data: closed } = await octokit.rest.issues.listForRepo({ ...at, state: "closed", labels: "later" });
    assert.deepEqual(
      closed.map((one) => one.title),
      ["Broken"],
    );
    assert.equal(await statusOf(octokit.rest.issues.get({ ...at, issue_number: 999 })), 404);
    assert.equal(await statusOf(octokit.rest.issues.create({ ...at, title: "" })), 422);
  });

  test("what became of an issue is told, in GitHub's words, and lists come as they are asked for", async () => {
    const { data: first } = await octokit.rest.issues.create({ ...at, title: "Old", assignees: ["ada"] });
    const { data: second } = await octokit.rest.issues.create({ ...at, title: "New" });
    const issue = { ...at, issue_number: second.number };
    await octokit.rest.issues.addLabels({ ...issue, labels: ["stale"] });
    await octokit.rest.issues.removeLabel({ ...issue, name: "stale" });
    await octokit.rest.issues.addAssignees({ ...issue, assignees: ["mira", "ada"] });
    await octokit.rest.issues.removeAssignees({ ...issue, assignees: ["ada"] });
    await octokit.rest.issues.createComment({ ...issue, body: "Seen" });
    await octokit.rest.issues.update({ ...issue, state: "closed", state_reason: "not_planned" });
    const events = await octokit.paginate(octokit.rest.issues.listEvents, { ...issue, per_page: 1 });
    assert.deepEqual(
      events.map(({ event }) => event),
      ["labeled", "unlabeled", "closed"],
    );
    assert.ok(events.every(({ created_at }) => Date.parse(created_at) > 0));
    const { data: timeline } = await octokit.rest.issues.listEventsForTimeline(issue);
    assert.ok(timeline.some(({ event }) => event === "commented"));
    const numbers = async (filter: Parameters<typeof octokit.rest.issues.listForRepo>[0]): Promise<readonly number[]> =>
      (await octokit.rest.issues.listForRepo(filter)).data.map(({ number }) => number);
    const all = { ...at, state: "all" } as const;
    assert.deepEqual(await numbers({ ...all, assignee: "mira" }), [second.number]);
    assert.ok(!(await numbers({ ...all, assignee: "none" })).includes(first.number));
    const rising = await numbers({ ...all, sort: "created", direction: "asc" });
    assert.deepEqual(
      rising,
      [...rising].sort((a, b) => a - b),
    );
    assert.equal((await numbers({ ...all, sort: "updated", direction: "desc" }))[0], second.number);
    assert.deepEqual(await numbers({ ...all, since: "2100-01-01T00:00:00Z" }), []);
    const { data: comments } = await octokit.rest.issues.listCommentsForRepo({ ...at, direction: "desc" });
    assert.equal(comments[0]?.body, "Seen");
    const { data: level } = await octokit.rest.repos.getCollaboratorPermissionLevel({ ...at, username: "admin" });
    assert.equal(level.permission, "admin");
    assert.equal(await statusOf(octokit.rest.repos.getCollaboratorPermissionLevel({ ...at, username: "who" })), 404);
  });

  test("a comment is found, changed and folded away over GraphQL, by whoever may", async () => {
    const { data: issue } = await octokit.rest.issues.create({ ...at, title: "Graph" });
    for (const body of ["one", "two", "three"]) {
      await octokit.rest.issues.createComment({ ...at, issue_number: issue.number, body });
    }
    const query = `query($owner: String!, $name: String!, $number: Int!, $after: String) {
      viewer { login }
      repository(owner: $owner, name: $name) { issue(number: $number) { comments(first: 2, after: $after) {
        nodes { id body isMinimized author { login } } pageInfo { endCursor hasNextPage }
      } } }
    }`;
    interface Page {
      readonly viewer: { readonly login: string };
      readonly repository: {
        readonly issue: {
          readonly comments: {
            readonly nodes: { id: string; body: string; isMinimized: boolean }[];
            readonly pageInfo: { readonly endCursor: string; readonly hasNextPage: boolean };
          };
        };
      };
    }
    const ask = async (after: string | null): Promise<Page> =>
      await octokit.graphql<Page>(query, { owner: "acme", name: "shop", number: issue.number, after });
    const first = await ask(null);
    assert.equal(first.viewer.login, "admin");
    const { nodes, pageInfo } = first.repository.issue.comments;
    assert.deepEqual([nodes.map(({ body }) => body), pageInfo.hasNextPage], [["one", "two"], true]);
    const rest = (await ask(pageInfo.endCursor)).repository.issue.comments;
    assert.deepEqual([rest.nodes.map(({ body }) => body), rest.pageInfo.hasNextPage], [["three"], false]);
    const update =
      "mutation($input: UpdateIssueCommentInput!) { updateIssueComment(input: $input) { issueComment { body } } }";
    const input = { id: nodes[0]?.id, body: "changed" };
    assert.deepEqual(await octokit.graphql(update, { input }), {
      updateIssueComment: { issueComment: { body: "changed" } },
    });
    const minimize = "mutation($input: MinimizeCommentInput!) { minimizeComment(input: $input) { clientMutationId } }";
    await octokit.graphql(minimize, { input: { subjectId: nodes[1]?.id, classifier: "OUTDATED" } });
    await octokit.graphql("mutation($id: ID!) { deleteIssueComment(input: { id: $id }) { clientMutationId } }", {
      id: rest.nodes[0]?.id,
    });
    const after = (await ask(null)).repository.issue.comments.nodes;
    assert.deepEqual(
      after.map(({ body, isMinimized }) => [body, isMinimized]),
      [
        ["changed", false],
        ["two", true],
      ],
    );
    const { secret } = await tidegate.api<{ secret: string }>("/tokens", {
      method: "POST",
      body: { name: "reader", scopes: ["issues:read:acme/shop", "git:read:acme/shop"] },
    });
    const reader = clientOf(tidegate, secret);
    await assert.rejects(reader.graphql(update, { input }), /Resource not accessible by personal access token/);
    const { secret: stranger } = await tidegate.api<{ secret: string }>("/tokens", {
      method: "POST",
      body: { name: "stranger", scopes: ["git:read:acme/other"] },
    });
    await assert.rejects(clientOf(tidegate, stranger).graphql(update, { input }), /Not Found/);
    await assert.rejects(octokit.graphql("{ viewer { shoeSize } }"), /Field 'shoeSize' doesn't exist on type 'User'/);
  });

  test("variables are kept over REST, secrets named, and neither is told to a job", async () => {
    const { actions } = octokit.rest;
    await actions.createRepoVariable({ ...at, name: "region", value: "north" });
    assert.equal(await statusOf(actions.createRepoVariable({ ...at, name: "REGION", value: "x" })), 409);
    assert.equal(await statusOf(actions.createRepoVariable({ ...at, name: "1 bad", value: "x" })), 422);
    await actions.updateRepoVariable({ ...at, name: "REGION", value: "south" });
    assert.equal((await actions.getRepoVariable({ ...at, name: "region" })).data.value, "south");
    assert.equal((await actions.listRepoVariables(at)).data.total_count, 1);
    await tidegate.api("/secrets/acme/shop", { method: "PUT", body: { name: "KEPT", value: "hunter3" } });
    const { data: secrets } = await actions.listRepoSecrets(at);
    assert.ok(secrets.secrets.some(({ name }) => name === "KEPT") && !JSON.stringify(secrets).includes("hunter3"));
    await actions.deleteRepoSecret({ ...at, secret_name: "KEPT" });
    await actions.deleteRepoVariable({ ...at, name: "region" });
    assert.equal(await statusOf(actions.getRepoVariable({ ...at, name: "region" })), 404);
    const path = { ...at, environment_name: "nowhere" };
    assert.equal(await statusOf(actions.listEnvironmentVariables(path)), 404);
    const jobLike = ["git:write:acme/shop", "actions:write:acme/shop", "api:read:acme/shop"];
    const { secret: token } = await tidegate.api<{ secret: string }>("/tokens", {
      method: "POST",
      body: { name: "like-a-job", scopes: jobLike },
    });
    const narrow = clientOf(tidegate, token).rest.actions;
    assert.equal(await statusOf(narrow.listRepoVariables(at)), 403);
    assert.equal(await statusOf(narrow.listRepoSecrets(at)), 403);
    assert.equal((await narrow.getActionsCacheList(at)).data.total_count, 0);
    assert.equal(await statusOf(narrow.deleteActionsCacheByKey({ ...at, key: "none" })), 404);
  });

  test("a release makes its tag, keeps its files byte for byte, and writes its notes", async () => {
    const wanted = { ...at, tag_name: "v1.0.0", name: "First", generate_release_notes: true };
    const { data: release } = await octokit.rest.repos.createRelease(wanted);
    assert.match(release.body ?? "", /\* Four by @admin in http/);
    const { data: main } = await octokit.rest.git.getRef({ ...at, ref: "heads/main" });
    const { data: tag } = await octokit.rest.git.getRef({ ...at, ref: "tags/v1.0.0" });
    assert.equal(tag.object.sha, main.object.sha);
    assert.equal(await statusOf(octokit.rest.repos.createRelease(wanted)), 422);
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_one, index) => index % 251));
    const upload = { ...at, release_id: release.id, name: "shop.bin", url: release.upload_url };
    const { data: asset } = await octokit.rest.repos.uploadReleaseAsset({
      ...upload,
      data: bytes as unknown as string,
      headers: { "content-type": "application/octet-stream" },
    });
    assert.equal(asset.size, bytes.length);
    assert.equal(await statusOf(octokit.rest.repos.uploadReleaseAsset({ ...upload, data: "again" })), 422);
    const answer = await fetch(asset.browser_download_url, {
      headers: { authorization: `Bearer ${tidegate.adminToken}` },
    });
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes);
    assert.equal((await fetch(asset.browser_download_url)).status, 401);
    const { data: latest } = await octokit.rest.repos.getLatestRelease(at);
    assert.equal(latest.assets[0]?.download_count, 1);
    await octokit.rest.repos.deleteRelease({ ...at, release_id: release.id });
    assert.equal(await statusOf(octokit.rest.repos.getReleaseByTag({ ...at, tag: "v1.0.0" })), 404);
  });

  test("runs are started, listed and read, and deployments recorded, also by their filters", async () => {
    const { data: runs } = await octokit.rest.actions.listWorkflowRunsForRepo({ ...at, event: "pull_request" });
    assert.ok(runs.total_count >= 3);
    const [newest] = runs.workflow_runs;
    assert.equal(newest?.status, "completed");
    const { data: jobs } = await octokit.rest.actions.listJobsForWorkflowRun({ ...at, run_id: newest?.id ?? 0 });
    assert.equal(jobs.jobs[0]?.name, "test");
    const { data: archive } = await octokit.rest.actions.downloadWorkflowRunLogs({ ...at, run_id: newest?.id ?? 0 });
    const bytes = Buffer.from(archive as ArrayBuffer);
    for (const name of ["0_test.txt", "test/1_Set up job.txt"]) assert.ok(bytes.includes(name), `there is a ${name}`);
    const saved = join(tidegate.scratch, "logs.zip");
    await tidegate.cli(["logs", String(newest?.id), "--zip", saved]);
    assert.deepEqual(await readFile(saved), bytes);
    const none = octokit.rest.actions.downloadWorkflowRunAttemptLogs({
      ...at,
      run_id: newest?.id ?? 0,
      attempt_number: 7,
    });
    assert.equal(await statusOf(none), 404);
    const { data: workflows } = await octokit.rest.actions.listRepoWorkflows(at);
    assert.deepEqual(
      workflows.workflows.map((one) => one.path),
      [".github/workflows/check.yml"],
    );
    const dispatch = { ...at, workflow_id: "check.yml", ref: "main" };
    assert.equal(await statusOf(octokit.rest.actions.createWorkflowDispatch(dispatch)), 422);
    await octokit.rest.repos.createDispatchEvent({ ...at, event_type: "deployed", client_payload: { version: "1" } });
    const made = await octokit.rest.repos.createDeployment({
      ...at,
      ref: "main",
      environment: "staging",
      required_contexts: [],
    });
    assert.equal(made.status, 201);
    const { data: list } = await octokit.rest.repos.listDeployments({ ...at, environment: "staging" });
    const id = list[0]?.id ?? 0;
    await octokit.rest.repos.createDeploymentStatus({ ...at, deployment_id: id, state: "success" });
    const { data: statuses } = await octokit.rest.repos.listDeploymentStatuses({ ...at, deployment_id: id });
    assert.equal(statuses[0]?.state, "success");
  });

  test("the artifacts of a run are found and downloaded by another one", async () => {
    const keep = `
on: { push: { branches: [keep] } }
jobs:
  keep:
    runs-on: ubuntu-latest
    steps:
      - run: echo kept > kept.txt
      - uses: actions/upload-artifact@v4
        with: { name: kept, path: kept.txt }
`;
    const take = (run: number): string => `
on: { push: { branches: [take] } }
permissions: { actions: read, contents: read }
jobs:
  take:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/download-artifact@v4
        with: { name: kept, run-id: "${run}", github-token: "\${{ secrets.GITHUB_TOKEN }}" }
      - run: test "$(cat kept.txt)" = kept
`;
    const finished = async (branch: string): Promise<RunDetail> =>
      await until(tidegate, `the run of ${branch}`, async () => {
        const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs?repository=acme/shop");
        const found = items.find((run) => run.ref === `refs/heads/${branch}` && run.status === "completed");
        return found === undefined ? undefined : await tidegate.api<RunDetail>(`/runs/${found.id}`);
      });
    await copy.git(["checkout", "--quiet", "-B", "keep", "origin/main"]);
    await copy.commit("Keep", { ".github/workflows/keep.yml": keep });
    await copy.git(["push", "--quiet", "origin", "keep"]);
    const { id } = await finished("keep");
    const { data } = await octokit.rest.actions.listWorkflowRunArtifacts({ ...at, run_id: Number(id), name: "kept" });
    assert.equal(data.total_count, 1);
    const found = { ...at, artifact_id: data.artifacts[0]?.id ?? 0, archive_format: "zip" };
    const { data: zip } = await octokit.rest.actions.downloadArtifact(found);
    assert.match(Buffer.from(zip as ArrayBuffer).toString("latin1"), /^PK[^]*kept\.txt/);
    await copy.commit("Take", { ".github/workflows/take.yml": take(Number(id)) });
    await copy.git(["push", "--quiet", "origin", "HEAD:take"]);
    const taken = await finished("take");
    assert.equal(taken.conclusion, "success", JSON.stringify(taken.jobs[0]?.annotations));
  });

  test("nothing is told to whoever has no token, or one that does not reach it", async () => {
    const nobody = new Octokit({
      baseUrl: `${tidegate.url}/api/v3`,
      log: { debug() {}, info() {}, warn() {}, error() {} },
    });
    assert.equal(await statusOf(nobody.rest.repos.get(at)), 401);
    const { secret } = await tidegate.api<{ secret: string }>("/tokens", {
      method: "POST",
      body: { name: "narrow", scopes: ["statuses:write:acme/other"] },
    });
    assert.equal(await statusOf(clientOf(tidegate, secret).rest.repos.get(at)), 404);
    const url = `${tidegate.url}/api/v3/repos/acme/shop`;
    const headers = { authorization: `token ${tidegate.adminToken}` };
    const tag = (await fetch(url, { headers })).headers.get("etag") ?? "";
    assert.equal((await fetch(url, { headers: { ...headers, "if-none-match": tag } })).status, 304);
    assert.equal((await fetch(`${url}/nothing/of/the/kind`, { headers })).status, 404);
    const broken = await fetch(`${url}/issues`, { method: "POST", headers, body: "{" });
    assert.equal(broken.status, 400);
  });

  test("the command line makes, shows and merges pull requests too", async () => {
    await copy.git(["checkout", "--quiet", "-B", "by-hand", "origin/main"]);
    await copy.commit("Say six", { "six.txt": "six\n" });
    await copy.git(["push", "--quiet", "origin", "by-hand"]);
    const create = ["pr", "create", "acme/shop", "--head", "by-hand", "--title", "Six", "--draft", "--json"];
    const { number } = JSON.parse((await tidegate.cli(create)).stdout) as { number: number };
    const refused = await tidegate.cli(["pr", "merge", "acme/shop", String(number)], 1);
    assert.match(refused.stderr, /is a draft/);
    await tidegate.cli(["pr", "ready", "acme/shop", String(number)]);
    await tidegate.cli(["pr", "checks", "acme/shop", String(number)], 1);
    await tidegate.api("/repositories/acme/shop/protections", { method: "PUT", body: { branch: "main" } });
    assert.match((await tidegate.cli(["pr", "view", "acme/shop", String(number)])).stdout, /added +\+1 -0 +six\.txt/);
    await tidegate.cli(["pr", "merge", "acme/shop", String(number), "--rebase"]);
    await copy.git(["fetch", "--quiet", "origin", "main"]);
    assert.equal((await copy.git(["log", "-1", "--format=%s %p", "origin/main"])).stdout.split(" ").length, 3);
  });

  test(
    "the console lists a pull request, shows what it changes, and merges it",
    { skip: skipWithoutBrowser() },
    async () => {
      await copy.git(["checkout", "--quiet", "-B", "seen", "origin/main"]);
      await copy.commit("Say seven", { "seven.txt": "seven\n" });
      await copy.git(["push", "--quiet", "origin", "seen"]);
      const wanted = { ...at, title: "Seven is seen", head: "seen", base: "main", body: "As one reads it" };
      const { data: pull } = await octokit.rest.pulls.create(wanted);
      await using browser = await openBrowser();
      await using opened = await openPage(browser);
      const { page, problems } = opened;
      const { url } = await tidegate.api<{ url: string }>("/login-codes", { method: "POST", body: {} });
      await page.goto(url);
      await page.getByRole("link", { name: "Pull requests" }).click();
      await page.getByRole("link", { name: /Seven is seen/ }).click();
      await page.getByText("As one reads it").waitFor();
      await page.getByText("seven.txt").click();
      await page.getByText("+seven").waitFor();
      await page.getByRole("region", { name: "Checks" }).getByText("test", { exact: true }).waitFor();
      await shoot(page, "pull-request");
      await page.getByRole("button", { name: "Merge", exact: true }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Merge", exact: true }).click();
      await page.getByText("merged", { exact: true }).waitFor();
      assert.deepEqual(problems, []);
      const { data: merged } = await octokit.rest.pulls.get({ ...at, pull_number: pull.number });
      assert.equal(merged.merged, true);
    },
  );
});
