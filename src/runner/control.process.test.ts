/** The runner against the workflows room itself: both sides of the protocol, with nothing between but HTTP. */
import { deepEqual, equal, match } from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import Fastify from "fastify";
import { openDatabase, silentLog, systemClock, systemIds } from "#lib";
import { openWorkflows, workflowRoutes, zeroSha, type RunDetails, type Workflows } from "#workflows";
import { createRunner, type Runner } from "./index.ts";

const signal = AbortSignal.timeout(60_000);

const pipeline = `
on: push
jobs:
  build:
    runs-on: linux
    outputs: { image: "\${{ steps.pack.outputs.image }}" }
    steps:
      - id: pack
        run: echo "image=web:\${{ github.run_number }}" >> "$GITHUB_OUTPUT"; seq 1 3000
      - { run: exit 1, continue-on-error: true }
      - run: echo "# Summary" >> "$GITHUB_STEP_SUMMARY"; echo "::warning file=a.ts,line=2::careful"; echo "$PW"
        env: { PW: "\${{ secrets.PASSWORD }}" }
  test:
    needs: build
    runs-on: linux
    strategy: { matrix: { n: [1, 2] } }
    steps:
      - run: test "$IMAGE" = web:1
        env: { IMAGE: "\${{ needs.build.outputs.image }}" }
      - { name: only two, if: matrix.n == 2, run: exit 4 }
`;

async function openControl(
  parts: AsyncDisposableStack,
  folder: string,
  text: string,
): Promise<{ workflows: Workflows; url: string }> {
  const database = parts.adopt(openDatabase(join(folder, "control.db")), async (db) => await db.destroy());
  const base = { serverUrl: "http://tidegate.localhost", apiUrl: "http://127.0.0.1/api/v3", graphqlUrl: "" };
  const services = { ...base, internalServerUrl: "http://127.0.0.1" } as const;
  const opened = await openWorkflows({
    database,
    folder,
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
    leaseMs: 10_000,
    source: {
      repository: () => Promise.resolve({ id: 7, defaultBranch: "main", private: false }),
      files: () => Promise.resolve([{ path: ".github/workflows/ci.yml", text }]),
      isProtected: () => Promise.resolve(false),
      defaultHead: () => Promise.resolve(undefined),
      changedPaths: () => Promise.resolve(undefined),
      commits: () => Promise.resolve([]),
    },
    tokens: { mint: () => Promise.resolve("job-token-1"), revoke: () => Promise.resolve() },
    variables: { variables: () => Promise.resolve({}), secrets: () => Promise.resolve({ PASSWORD: "s3cret-word" }) },
    services: { base, forJob: () => Promise.resolve(services) },
  });
  const workflows = parts.use(opened);
  const app = parts.adopt(Fastify({ forceCloseConnections: true }), async (app) => await app.close());
  const access = { authenticate: () => Promise.resolve({ name: "runner", scopes: ["runner:write"] }) };
  await app.register(workflowRoutes({ workflows, access, log: silentLog }), { prefix: "/api/tidegate/v1/runner" });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  await workflows.resume();
  return { workflows, url };
}

async function finished(workflows: Workflows, runId: string): Promise<RunDetails> {
  using notices = workflows.subscribe(signal);
  for (;;) {
    const run = await workflows.getRun(runId);
    if (run?.status === "completed") return run;
    await notices.next();
  }
}

const push = {
  id: "e1",
  name: "push",
  repository: "shop/web",
  ref: "refs/heads/main",
  before: zeroSha,
  sha: "5".repeat(40),
  actor: "ada",
} as const;

function runnerIn(folder: string, controlUrl: string): Runner {
  return createRunner({
    controlUrl,
    token: "any",
    name: "one",
    labels: ["linux"],
    workFolder: join(folder, "work"),
    nodePath: process.execPath,
    concurrency: 2,
    baseEnv: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: folder },
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
  });
}

test("a workflow goes through both sides of the protocol: outputs, matrix, logs, annotations, summary, failure", async () => {
  const folder = await mkdtemp(join(tmpdir(), "runner-control-"));
  await using parts = new AsyncDisposableStack();
  parts.defer(async () => await rm(folder, { recursive: true, force: true }));
  const { workflows, url } = await openControl(parts, folder, pipeline);
  const runner = parts.use(runnerIn(folder, url));
  const stop = new AbortController();
  const running = runner.run(stop.signal);
  const [runId = ""] = await workflows.accept(push, { signal });
  const run = await finished(workflows, runId);
  stop.abort();
  await running;

  equal(run.conclusion, "failure");
  const [build, first, second] = run.jobs;
  deepEqual(
    [build, first, second].map((job) => [job?.name, job?.conclusion]),
    [
      ["build", "success"],
      ["test (1)", "success"],
      ["test (2)", "failure"],
    ],
  );
  deepEqual(build?.outputs, { image: "web:1" });
  equal(build?.summary, "# Summary\n");
  deepEqual(
    build?.annotations.map(({ level, path, startLine }) => [level, path, startLine]),
    [
      ["error", undefined, undefined],
      ["warning", "a.ts", 2],
    ],
  );
  const lines: string[] = [];
  for await (const entry of workflows.logs(build?.id ?? "", { signal })) lines.push(entry.text);
  equal(lines.filter((line) => /^\d+$/.test(line)).length, 3000);
  match(lines.join("\n"), /^\*\*\*$/m);
  deepEqual(
    second?.steps.map((step) => step.conclusion),
    ["success", "success", "failure", "success"],
  );
});

const waiting = `
on: push
jobs:
  talk:
    runs-on: linux
    steps:
      - run: for n in 1 2 3; do echo "say $n"; until [ -e "$HOME/seen/$n" ]; do sleep 0.02; done; done
`;

test("lines are seen by whoever watches while their step still runs, each before the next is written", async () => {
  const folder = await mkdtemp(join(tmpdir(), "runner-control-"));
  await using parts = new AsyncDisposableStack();
  parts.defer(async () => await rm(folder, { recursive: true, force: true }));
  const seen = join(folder, "seen");
  await mkdir(seen);
  const { workflows, url } = await openControl(parts, folder, waiting);
  const runner = parts.use(runnerIn(folder, url));
  const stop = new AbortController();
  const running = runner.run(stop.signal);
  const [runId = ""] = await workflows.accept(push, { signal });
  const jobId = (await workflows.getRun(runId))?.jobs[0]?.id ?? "";
  const heard: string[] = [];
  for await (const { step, text } of workflows.logs(jobId, { follow: true, signal })) {
    const number = /^say (\d)$/.exec(text)?.[1];
    if (number === undefined) continue;
    const state = (await workflows.getJob(jobId))?.steps.find((one) => one.number === step)?.status;
    heard.push(`${number} ${state}`);
    await writeFile(join(seen, number), "");
  }
  const run = await finished(workflows, runId);
  stop.abort();
  await running;

  deepEqual(heard, ["1 in_progress", "2 in_progress", "3 in_progress"]);
  equal(run.conclusion, "success");
});
