/** Story: a repository lives on another forge; its workflows run here, and that forge is told what became of them. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import type { MirrorView, RunDetail, RunSummary } from "#api";
import { skipWithout } from "../support/needs.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { until } from "../support/until.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

const workflow = `
name: Check
on: { push: {}, pull_request: { types: [opened, closed] } }
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - env: { SECRET: "\${{ secrets.DEPLOY_KEY }}" }
        run: test -z "$SECRET" && echo "no secret" || echo "a secret"
`;

interface Told {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: {
    readonly state: string;
    readonly context: string;
    readonly description: string;
    readonly target_url: string;
  };
}

/** What GitHub answers to a status, and how it fails at first. */
function statusServer(told: Told[]): Server {
  let failures = 1;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (failures-- > 0) {
        response.writeHead(502).end("<html>Unicorn</html>");
        return;
      }
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Told["body"];
      told.push({ path: request.url ?? "", authorization: request.headers.authorization, body });
      server.emit("told");
      response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify({ id: 1, ...body }));
    });
  });
  return server;
}

describe("a mirror", { skip: skipWithout("git") }, () => {
  const told: Told[] = [];
  const server = statusServer(told);
  let tidegate: Tidegate;
  let there: WorkCopy;
  let secret: string;
  let mirrored: string;

  before(async () => {
    tidegate = await startTidegate();
    // The remote is a repository of this very server: git neither knows nor cares.
    there = await newRepository(tidegate, "up/stream");
    await there.push("Begin", { "app.txt": "one\n" });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`;
    const made = await tidegate.api<MirrorView & { webhookSecret: string }>("/repositories/acme/shop/mirror", {
      method: "PUT",
      body: { url: `${tidegate.url}/up/stream`, kind: "gitea", apiUrl, token: tidegate.adminToken },
    });
    secret = made.webhookSecret;
    mirrored = made.webhookUrl;
    const key = { name: "DEPLOY_KEY", value: "hunter2-and-more" };
    await tidegate.api("/secrets/acme/shop", { method: "PUT", body: key });
  });
  after(async () => {
    server.close();
    await tidegate[Symbol.asyncDispose]();
  });

  async function deliver(id: string, event: string, body: object, key = secret): Promise<Response> {
    const text = JSON.stringify(body);
    const signature = createHmac("sha256", key).update(text).digest("hex");
    return await fetch(mirrored, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-gitea-event": event,
        "x-gitea-delivery": id,
        "x-gitea-signature": signature,
      },
      body: text,
    });
  }

  async function ended(event: string, ref: string): Promise<RunDetail> {
    return await until(tidegate, `the run of ${event} at ${ref}`, async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs?repository=acme/shop");
      const found = items.find((run) => run.event === event && run.ref === ref && run.status === "completed");
      return found === undefined ? undefined : await tidegate.api<RunDetail>(`/runs/${found.id}`);
    });
  }

  async function logOf(run: RunDetail): Promise<string> {
    const answer = await fetch(`${tidegate.url}/api/tidegate/v1/jobs/${run.jobs[0]?.id ?? ""}/log`, {
      headers: { authorization: `Bearer ${tidegate.adminToken}` },
    });
    return await answer.text();
  }

  /** Runs end before their statuses are sent. */
  async function toldOf(sha: string, state: string, event: string): Promise<Told> {
    const signal = AbortSignal.timeout(90_000);
    const context = `tidegate / Check (${event})`;
    for (;;) {
      const found = told.find(
        ({ path, body }) => path.endsWith(sha) && body.state === state && body.context === context,
      );
      if (found !== undefined) return found;
      await once(server, "told", { signal });
    }
  }

  test("has what was there when it was made, and cannot be pushed to", async () => {
    const view = JSON.parse((await tidegate.cli(["repo", "mirror", "acme/shop", "--json"])).stdout) as MirrorView;
    assert.equal(view.kind, "gitea");
    assert.equal(view.hasToken, true);
    assert.ok(!JSON.stringify(view).includes(tidegate.adminToken));
    const url = `http://ada:${tidegate.adminToken}@127.0.0.1:${tidegate.controlPort}/acme/shop`;
    const refused = await there.git(["push", url, "HEAD:refs/heads/mine"], 1);
    assert.match(refused.stderr, /this repository mirrors/);
  });

  test("takes a webhook only with its secret, and each delivery once", async () => {
    const push = { ref: "refs/heads/main", sender: { login: "octocat" } };
    assert.equal((await deliver("d-1", "push", push, "guessed")).status, 401);
    const bare = await fetch(mirrored, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
    assert.equal(bare.status, 401);
    const first = await deliver("d-1", "push", push);
    assert.equal(first.status, 202);
    assert.equal(((await first.json()) as { taken: boolean }).taken, true);
    assert.equal(((await (await deliver("d-1", "push", push)).json()) as { taken: boolean }).taken, false);
  });

  test("takes what GitHub sends as a form, and nothing that is no JSON or too large", async () => {
    const send = async (type: string, body: string, signed = true): Promise<number> => {
      const signature = createHmac("sha256", secret).update(body).digest("hex");
      const own = { "x-github-event": "ping", "x-github-delivery": `${type} ${body.length}` };
      const headers = signed ? { ...own, "x-hub-signature-256": `sha256=${signature}` } : own;
      try {
        return (await fetch(mirrored, { method: "POST", headers: { ...headers, "content-type": type }, body })).status;
      } catch {
        // It was cut off while it sent, as whoever sends too much is.
        return 0;
      }
    };
    assert.equal(
      await send("application/x-www-form-urlencoded", `payload=${encodeURIComponent('{"zen":"Yes"}')}`),
      202,
    );
    assert.equal(await send("text/plain", '{"zen":"Yes"}'), 202);
    assert.equal(await send("application/x-www-form-urlencoded", "payload=%7Bzen"), 400);
    assert.equal(await send("application/json", "<zen/>"), 400);
    assert.equal(await send("multipart/form-data; boundary=x", "--x--"), 400);
    const large = JSON.stringify({ zen: "z".repeat(26 * 1024 * 1024) });
    assert.ok([0, 413].includes(await send("application/json", large)));
    assert.ok([0, 401].includes(await send("application/json", large, false)));
    assert.equal(await send("application/json", '{"zen":"z"}'), 202);
  });

  test("a push over there runs the workflows here, and its status is told back until it is taken", async () => {
    const { sha } = await there.push("Check", { ".github/workflows/check.yml": workflow });
    await deliver("d-2", "push", { ref: "refs/heads/main", sender: { login: "octocat" } });
    const run = await ended("push", "refs/heads/main");
    assert.equal(run.actor, "octocat");
    assert.equal(run.conclusion, "success");
    assert.match(await logOf(run), /a secret/);
    const status = await toldOf(sha, "success", "push");
    assert.equal(status.path, `/api/v1/repos/up/stream/statuses/${sha}`);
    assert.equal(status.authorization, `token ${tidegate.adminToken}`);
    assert.match(status.body.target_url, /\/runs\/\d+$/);
  });

  test("a pull request over there is tried here, and one of a stranger gets no secret", async () => {
    await there.git(["checkout", "--quiet", "-b", "topic"]);
    const head = await there.commit("Two", { "app.txt": "one\ntwo\n" });
    await there.git(["push", "--quiet", "origin", "topic"]);
    const base = (await there.git(["rev-parse", "origin/main"])).stdout.trim();
    const pull = (number: number, from: string) => ({
      action: "opened",
      number,
      sender: { login: "mallory" },
      repository: { full_name: "up/stream" },
      pull_request: {
        number,
        title: "Two",
        head: { ref: "topic", sha: head, repo: { full_name: from } },
        base: { ref: "main", sha: base, repo: { full_name: "up/stream" } },
      },
    });
    // A stranger who calls the fork like the mirror here is a stranger all the same.
    await deliver("d-3", "pull_request", pull(7, "acme/shop"));
    const foreign = await ended("pull_request", "refs/pull/7/merge");
    assert.match(await logOf(foreign), /no secret/);
    await deliver("d-4", "pull_request", pull(8, "up/stream"));
    const own = await ended("pull_request", "refs/pull/8/merge");
    assert.match(await logOf(own), /a secret/);
    await toldOf(head, "success", "pull_request");
    // The webhook of an organisation tells of its other repositories too.
    const other = { ...pull(9, "up/stream"), repository: { full_name: "up/other" } };
    assert.equal((await deliver("d-5", "pull_request", other)).status, 202);
    // Merged over there: it runs at what it has become.
    await there.git(["checkout", "--quiet", "main"]);
    await there.git(["merge", "--quiet", "--no-ff", "--message", "Merge two", "topic"]);
    await there.git(["push", "--quiet", "origin", "main"]);
    const merged = (await there.git(["rev-parse", "HEAD"])).stdout.trim();
    const opened = pull(8, "up/stream");
    const ended8 = { ...opened.pull_request, merged: true, merge_commit_sha: merged };
    await deliver("d-6", "pull_request", { ...opened, action: "closed", pull_request: ended8 });
    const closed = await ended("pull_request", "refs/heads/main");
    assert.equal(closed.sha, merged);
    const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs?repository=acme/shop");
    assert.ok(!items.some(({ ref }) => ref === "refs/pull/9/merge"));
  });

  test("workflows of one name do not hide each other's failure, and one at the base is told of the head", async () => {
    const failing = `name: Check\non: [push, pull_request_target]\njobs: { test: { runs-on: x, steps: [{ run: exit 3 }] } }\n`;
    const files = {
      ".github/workflows/other.yml": failing.replace("runs-on: x", "runs-on: ubuntu-latest"),
      ".github/workflows/check.yml": workflow.replace("test -z", "sleep 1; test -z"),
    };
    const { sha } = await there.push("Two of a name", files);
    await deliver("d-8", "push", { ref: "refs/heads/main", sender: { login: "octocat" } });
    await until(tidegate, "both runs", async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs?repository=acme/shop");
      const both = items.filter((run) => run.sha === sha && run.status === "completed");
      return both.length === 2 ? both : undefined;
    });
    const first = await toldOf(sha, "failure", "push");
    await until(tidegate, "nothing more to be told", async () => {
      const view = await tidegate.api<MirrorView>("/repositories/acme/shop/mirror");
      return view.statusesWaiting === 0 ? true : undefined;
    });
    assert.ok(!told.some(({ path, body }) => path.endsWith(sha) && body.state === "success"));
    const last = told.findLast(({ path, body }) => path.endsWith(sha) && body.context === first.body.context);
    assert.match(last?.body.description ?? "", /^Run #1 of other\.yml at main: failure, worst of 2 runs$/);
    await there.git(["checkout", "--quiet", "-b", "late"]);
    const head = await there.commit("Three", { "app.txt": "three\n" });
    await there.git(["push", "--quiet", "origin", "late"]);
    await there.git(["checkout", "--quiet", "main"]);
    const repo = { full_name: "up/stream" };
    await deliver("d-9", "pull_request", {
      action: "opened",
      number: 10,
      sender: { login: "ada" },
      repository: repo,
      pull_request: { number: 10, head: { ref: "late", sha: head, repo }, base: { ref: "main", sha, repo } },
    });
    await toldOf(head, "failure", "pull_request_target");
    assert.ok(!told.some(({ path, body }) => path.endsWith(sha) && body.context.includes("pull_request_target")));
  });

  test("an annotated tag over there runs the workflows at the commit that it is about", async () => {
    await there.git(["tag", "--annotate", "--message", "First", "v1"]);
    await there.git(["push", "--quiet", "origin", "v1"]);
    await deliver("d-7", "push", { ref: "refs/tags/v1", sender: { login: "octocat" } });
    const run = await ended("push", "refs/tags/v1");
    assert.equal(run.sha, (await there.git(["rev-parse", "v1^{commit}"])).stdout.trim());
  });
});
