/** Story: what the token of a job may not do, even where it may write: change workflows, and start them by a push. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { RunDetail, RunSummary } from "#api";
import { skipWithout } from "../support/needs.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { until } from "../support/until.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

const watch =
  "name: Watch\non: [push, create, workflow_dispatch, repository_dispatch]\njobs: { seen: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] } }\n";

const act = `
name: Act
on: { issues: { types: [opened] } }
permissions: { contents: write, actions: write, pull-requests: write }
env: { TOKEN: "\${{ github.token }}" }
jobs:
  act:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          git config user.name bot && git config user.email bot@example.com
          tell() { tr '\\n' ' ' | sed "s/^/$1: /"; echo; }
          api() { curl -s -o answer.json -w '%{http_code} ' -H "authorization: Bearer $TOKEN" -X "$1" "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/$2" -d "$3"; cat answer.json 2>/dev/null; rm -f answer.json; }
          echo app > app.txt && git add app.txt && git commit -qm App
          git push origin HEAD:main HEAD:refs/heads/fresh HEAD:refs/tags/t1 2>&1 | tell allowed
          app=$(git rev-parse HEAD)
          echo '# more' >> .github/workflows/watch.yml && git commit -qam Workflow
          git push origin HEAD:main 2>&1 | tell forward
          git push origin HEAD:refs/heads/other 2>&1 | tell fresh-branch
          git push --force origin HEAD:refs/heads/topic 2>&1 | tell forced
          git reset -q --hard "$app" && git rm -q .github/workflows/watch.yml && git commit -qm Remove
          git push origin HEAD:main 2>&1 | tell removal
          git reset -q --hard "$app" && git fetch -q origin topic && git merge -q --no-edit FETCH_HEAD
          git push origin HEAD:main 2>&1 | tell merge
          api PUT contents/.github/workflows/new.yml '{"message":"New","content":"b246IHB1c2gK"}' | tell contents
          api PUT contents/plain.txt '{"message":"Plain","content":"b246IHB1c2gK"}' | tell plain
          api POST git/refs "{\\"ref\\":\\"refs/heads/copied\\",\\"sha\\":\\"$(git rev-parse FETCH_HEAD)\\"}" | tell copied
          api PATCH git/refs/heads/main "{\\"sha\\":\\"$(git rev-parse FETCH_HEAD)\\",\\"force\\":true}" | tell moved
          api PUT pulls/1/merge '{}' | tell merged
          api POST actions/workflows/watch.yml/dispatches '{"ref":"main"}' | tell dispatch
          api POST dispatches '{"event_type":"hello"}' | tell event
`;

describe("the token of a job that may write", { skip: skipWithout("git") || skipWithout("curl") }, () => {
  let tidegate: Tidegate;
  let copy: WorkCopy;
  let log = "";

  before(async () => {
    tidegate = await startTidegate();
    copy = await newRepository(tidegate, "acme/shop");
    await copy.push("Begin", { ".github/workflows/act.yml": act, ".github/workflows/watch.yml": watch });
    await copy.git(["checkout", "--quiet", "-b", "topic"]);
    await copy.commit("Topic", { ".github/workflows/topic.yml": watch.replace("Watch", "Topic") });
    await copy.git(["push", "--quiet", "origin", "topic"]);
    await rest("pulls", { title: "Topic", head: "topic", base: "main" });
    await rest("issues", { title: "Go" });
    const run = await until(tidegate, "the run of the issue", async () => {
      const found = (await runs()).find((one) => one.event === "issues" && one.status === "completed");
      return found === undefined ? undefined : await tidegate.api<RunDetail>(`/runs/${found.id}`);
    });
    const answer = await fetch(`${tidegate.url}/api/tidegate/v1/jobs/${run.jobs[0]?.id ?? ""}/log`, {
      headers: { authorization: `Bearer ${tidegate.adminToken}` },
    });
    log = await answer.text();
    assert.equal(run.conclusion, "success", log);
  });
  after(async () => await tidegate[Symbol.asyncDispose]());

  async function rest(path: string, body: object): Promise<void> {
    const answer = await fetch(`${tidegate.url}/api/v3/repos/acme/shop/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${tidegate.adminToken}` },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 201, await answer.text());
  }

  async function runs(): Promise<readonly RunSummary[]> {
    return (await tidegate.api<{ items: RunSummary[] }>("/runs?repository=acme/shop")).items;
  }

  function told(what: string): string {
    return new RegExp(`^.*\\b${what}: (.*)$`, "m").exec(log)?.[1] ?? "";
  }

  test("pushes other files, to branches and tags", () => {
    assert.match(told("allowed"), /main/);
    assert.doesNotMatch(told("allowed"), /rejected/);
    assert.match(told("plain"), /^201 /);
    assert.match(told("copied"), /^201 /);
  });

  test("changes no workflow by a push, as GitHub says it", () => {
    const words =
      /refusing to allow a GitHub App to create or update workflow `\.github\/workflows\/(\w+)\.yml` without `workflows` permission/;
    for (const what of ["forward", "fresh-branch", "forced", "removal"]) {
      assert.equal(words.exec(told(what))?.[1], "watch", what);
    }
    assert.equal(words.exec(told("merge"))?.[1], "topic");
    assert.match(told("moved"), /^403 /);
    assert.match(told("moved"), words);
    assert.match(told("merged"), /^403 /);
    assert.match(told("merged"), words);
    assert.match(told("contents"), /^403 .*Resource not accessible by integration/);
  });

  test("starts nothing by what it pushes, only by dispatches", async () => {
    assert.match(told("dispatch"), /^204 /);
    assert.match(told("event"), /^204 /);
    const started = await until(tidegate, `both dispatches of ${told("dispatch")} ${told("event")}`, async () => {
      const all = await runs();
      const dispatched = all.filter((run) => run.event.endsWith("_dispatch"));
      return dispatched.length === 2 ? all : undefined;
    });
    const pushed = started.filter((run) => run.event === "push" || run.event === "create");
    assert.deepEqual([...new Set(pushed.map((run) => run.actor))], ["admin"]);
    assert.equal(pushed.filter((run) => run.ref === "refs/heads/fresh" || run.ref === "refs/tags/t1").length, 0);
  });
});
