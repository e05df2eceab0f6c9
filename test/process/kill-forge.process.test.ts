/**
 * The control process is killed, as no signal handler can notice, while pull requests are merged and webhooks of a mirror
 * arrive: what was acknowledged is not lost, and nothing is done twice. KILL_ROUNDS=50 is the long form; SEED repeats one.
 */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { MirrorView, RunSummary } from "#api";
import { skipWithout } from "../support/needs.ts";
import { processesOf, processOf } from "../support/processes.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

const rounds = Number(process.env["KILL_ROUNDS"] ?? 6);
const seed = Number(process.env["SEED"] ?? 20_261_121);
const methods = ["merge", "squash", "rebase"] as const;
/** Merging and a delivery take about so long. */
const longestMs = 150;

const onPush = "on: push\njobs: { test: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] } }\n";
const onPull = onPush.replace("on: push", "on: { pull_request: { types: [opened] } }");

interface Pull {
  readonly merged: boolean;
  readonly merge_commit_sha: string;
}

describe("a forge whose process is killed", { skip: skipWithout("git") }, () => {
  const random = seededRandom(seed);
  let tidegate: Tidegate;
  let shop: WorkCopy;
  let hook: { readonly url: string; readonly secret: string };
  let base = "";

  before(async () => {
    // Runs are counted, and need not be done.
    tidegate = await startTidegate({ jobs: 0 });
    shop = await newRepository(tidegate, "acme/shop");
    await shop.push("Begin", { "a.txt": "a\n", ".github/workflows/test.yml": onPush });
    const there = await newRepository(tidegate, "up/stream");
    base = (await there.push("Begin", { "a.txt": "a\n", ".github/workflows/test.yml": onPull })).sha;
    for (let round = 0; round < rounds; round += 1) {
      await there.git(["checkout", "--quiet", "-B", `topic-${round}`, base]);
      await there.commit(`Topic ${round}`, { [`${round}.txt`]: "1\n" });
    }
    await there.git(["push", "--quiet", "--all", "origin"]);
    heads = (
      await there.git(["for-each-ref", "--format=%(objectname)", "--sort=version:refname", "refs/heads/topic-*"])
    ).stdout
      .trim()
      .split("\n");
    const body = { url: `${tidegate.url}/up/stream`, kind: "gitea", token: tidegate.adminToken };
    const path = "/repositories/acme/site/mirror";
    const made = await tidegate.api<MirrorView & { webhookSecret: string }>(path, { method: "PUT", body });
    hook = { url: made.webhookUrl, secret: made.webhookSecret };
  });
  after(async () => {
    await tidegate[Symbol.asyncDispose]();
    assert.deepEqual(processesOf(tidegate.scratch), [], "nothing runs on");
  });
  let heads: readonly string[] = [];

  async function rest(method: string, path: string, body?: object): Promise<{ status: number; data: unknown }> {
    const answer = await fetch(`${tidegate.url}/api/v3/repos/acme/shop/${path}`, {
      method,
      headers: { authorization: `Bearer ${tidegate.adminToken}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, data: await answer.json() };
  }

  async function openPull(round: number): Promise<void> {
    await shop.git(["fetch", "--quiet", "origin"]);
    await shop.git(["checkout", "--quiet", "-B", `change-${round}`, round % 2 === 0 ? "origin/main" : "origin/main~1"]);
    await shop.commit(`Change ${round}.`, { [`${round}.txt`]: "1\n" });
    await shop.git(["push", "--quiet", "origin", `change-${round}`]);
    const body = { title: `Change ${round}.`, head: `change-${round}`, base: "main" };
    assert.equal((await rest("POST", "pulls", body)).status, 201);
  }

  /** As a person does who got no answer: looks, and tries again. */
  async function merge(round: number): Promise<void> {
    const number = round + 1;
    await insist(async () => {
      const { data } = await rest("GET", `pulls/${number}`);
      if ((data as Pull).merged) return true;
      const body = { merge_method: methods[round % methods.length] };
      const answer = await rest("PUT", `pulls/${number}/merge`, body);
      return answer.status === 200;
    });
  }

  /** As a forge does whose delivery was not taken, and somebody there sends it again. */
  async function deliver(round: number): Promise<void> {
    const repo = { full_name: "up/stream" };
    const text = JSON.stringify({
      action: "opened",
      number: round + 1,
      sender: { login: "ada" },
      repository: repo,
      pull_request: {
        number: round + 1,
        head: { ref: `topic-${round}`, sha: heads[round], repo },
        base: { ref: "main", sha: base, repo },
      },
    });
    const headers = {
      "content-type": "application/json",
      "x-gitea-event": "pull_request",
      "x-gitea-delivery": `round-${round}`,
      "x-gitea-signature": createHmac("sha256", hook.secret).update(text).digest("hex"),
    };
    await insist(async () => (await fetch(hook.url, { method: "POST", headers, body: text })).status === 202);
  }

  async function runsOf(repository: string): Promise<readonly RunSummary[]> {
    return (await tidegate.api<{ items: RunSummary[] }>(`/runs?repository=${repository}&limit=200`)).items;
  }

  test("every merge and every delivery is done once", async (t) => {
    let answered = 0;
    for (let round = 0; round < rounds; round += 1) {
      await insist(async () => {
        await openPull(round);
        return true;
      });
      const control = processOf(tidegate.scratch, "server/process/main.ts");
      assert.ok(control !== undefined);
      const work = [merge(round), deliver(round)];
      const done = Promise.all(work).then(() => "done" as const);
      const first = await Promise.race([done, pause(Math.round(random() * longestMs))]);
      if (first === "done") answered += 1;
      process.kill(control.pid, "SIGKILL");
      await Promise.all(work);
    }
    t.diagnostic(`SEED=${seed}, killed ${rounds} times, ${answered} of them after all answers`);
    await shop.git(["fetch", "--quiet", "origin"]);
    const log = (await shop.git(["log", "--format=%H %s", "--first-parent", "origin/main"])).stdout.trim().split("\n");
    for (let round = 0; round < rounds; round += 1) {
      const words = [`Merge pull request #${round + 1} `, `Change ${round}. (#${round + 1})`, `Change ${round}.`];
      const mine = log.filter((line) =>
        words.some((word) => line.slice(41) === word || line.slice(41).startsWith(words[0] ?? "")),
      );
      assert.equal(mine.length, 1, `pull request ${round + 1} is merged once: ${mine.join(", ")}`);
      const { data } = await rest("GET", `pulls/${round + 1}`);
      assert.equal((data as Pull).merge_commit_sha, mine[0]?.slice(0, 40));
    }
    assert.equal(log.length, rounds + 1);
    await insist(async () => {
      const pushes = (await runsOf("acme/shop")).filter(
        ({ event, ref }) => event === "push" && ref === "refs/heads/main",
      );
      const pulls = (await runsOf("acme/site")).filter(({ event }) => event === "pull_request");
      return pushes.length > rounds && pulls.length >= rounds;
    });
    const pushes = (await runsOf("acme/shop")).filter(({ ref }) => ref === "refs/heads/main").map(({ sha }) => sha);
    assert.deepEqual(pushes.toSorted(), log.map((line) => line.slice(0, 40)).toSorted());
    const pulls = (await runsOf("acme/site")).map(({ ref }) => ref).toSorted();
    assert.deepEqual(pulls, Array.from({ length: rounds }, (_, index) => `refs/pull/${index + 1}/merge`).toSorted());
  });
});

/** Until it is so; a server that is away comes back. */
async function insist(attempt: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    try {
      if (await attempt()) return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    assert.ok(Date.now() < deadline, "waited 90 s");
    await pause(20);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
