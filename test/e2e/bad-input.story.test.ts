/**
 * Story: people make mistakes. Each is told where they look, with the place and the remedy, and what ran before keeps
 * running: customers are on it all the time and every one of their requests counts.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import type { ApplicationDetail, RunDetail, RunSummary } from "#api";
import { formatProblem } from "#lib";
import { application, rolloutWithService } from "../support/manifests.ts";
import { skipWithout } from "../support/needs.ts";
import { type Finished, run } from "../support/run-command.ts";
import { pushImage } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { type Customers, keepCustomers, untilAnswer } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

const skip = skipWithout("skopeo") || skipWithout("kubectl", ["version", "--client"]);
const host = "web.team.localhost";

const kustomization = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - web.yaml
`;

const brokenWorkflow = `name: Broken
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    need: test
    steps:
      - run: echo hello
      - uses: actions/checkout@v4
        run: echo both
  deploy:
    needs: biuld
    runs-on: ubuntu-latest
    steps:
      - run: echo \${{ github.sha
`;

const imageWorkflow = `name: Image
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: docker/login-action@v3
        with: { registry: "\${{ vars.REGISTRY }}", username: ada, password: "\${{ secrets.GITHUB_TOKEN }}" }
      - uses: docker/build-push-action@v6
        with: { push: true, tags: "\${{ vars.REGISTRY }}/acme/broken:v1" }
`;

describe("Given a release that serves customers", { skip }, () => {
  let tidegate: Tidegate;
  let customers: Customers;
  let environments: WorkCopy;
  let image: string;
  let answeredBefore: number;

  before(async () => {
    tidegate = await startTidegate();
    image = await pushImage(tidegate, "acme/web", "v1");
    environments = await newRepository(tidegate, "acme/environments");
    await environments.push("Version 1", {
      "team/kustomization.yaml": kustomization,
      "team/web.yaml": rollout("[{ setWeight: 50 }]"),
    });
    const repoURL = `${tidegate.url}/acme/environments`;
    const syncPolicy = "{ automated: { selfHeal: true, prune: true }, syncOptions: [CreateNamespace=true] }";
    const manifest = application({ name: "web", repoURL, path: "team", namespace: "team", syncPolicy });
    await run("kubectl", ["apply", "-f", "-"], { env: tidegate.env, input: manifest });
    await untilAnswer(tidegate, host, ({ status }) => status === 200);
    customers = keepCustomers(tidegate, host);
  });
  after(async () => {
    await customers[Symbol.asyncDispose]();
    await tidegate[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    answeredBefore = customers.answers.length;
  });
  afterEach(async () => {
    // Two more answers from now on: the release serves after the mistake too.
    const enough = customers.answers.length + 2;
    await untilAnswer(tidegate, host, () => customers.answers.length >= enough);
    const during = customers.answers.slice(answeredBefore);
    const bodies = [...new Set(during.map(({ status, body }) => `${status} ${body.trim()}`))];
    assert.deepEqual(bodies, ["200 v1"], `${during.length} requests during the test`);
  });

  const rollout = (steps: string): string => rolloutWithService({ name: "web", image, steps, replicas: 2 });
  const kubectl = (args: readonly string[]): Promise<Finished> =>
    run("kubectl", ["--namespace=team", ...args], { env: tidegate.env });
  const untilApplication = (what: string, accept: (detail: ApplicationDetail) => boolean): Promise<ApplicationDetail> =>
    until(tidegate, what, async () => {
      const detail = await tidegate.api<ApplicationDetail>("/applications/argocd/web");
      if (accept(detail)) return detail;
      throw new Error(`The application is ${JSON.stringify({ ...detail, tree: undefined })}`);
    });
  const completedRun = (sha: string): Promise<RunDetail> =>
    until(tidegate, "the run's end", async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs");
      const found = items.find((item) => item.sha === sha && item.status === "completed");
      return found === undefined ? undefined : await tidegate.api<RunDetail>(`/runs/${found.id}`);
    });

  test("when a workflow file is broken, then push, run and run list name each place and what to do", async () => {
    const work = await newRepository(tidegate, "acme/app");
    const path = ".github/workflows/broken.yml";
    const { sha, said } = await work.push("Broken", { [path]: brokenWorkflow });
    const expected = [
      `${path}:6:5: Unexpected value 'need'. Correct its spelling or its indentation, or remove it`,
      `${path}:10:9: Unexpected value 'run'. Correct its spelling or its indentation, or remove it`,
      `${path}:12:12: needs: Job "deploy" needs "biuld", which is not a job. Jobs are build, deploy`,
      `${path}:15:14: The expression is not closed. An unescaped \${{ sequence was found, but the closing }} sequence was not found. Add the closing }}`,
    ];
    const remote = said.split("\n").map((line) => line.replace(/^remote: /, "").trimEnd());
    assert.equal(remote[0], "Tidegate: these workflow files will not run:");
    assert.deepEqual(
      remote.slice(1, 5).map((line) => line.trim()),
      expected,
    );
    const broken = await completedRun(sha);
    assert.equal(broken.conclusion, "failure");
    assert.deepEqual(
      broken.problems.map((problem) => formatProblem(problem)),
      expected,
    );
    const { stdout } = await tidegate.cli(["runs", broken.id]);
    for (const line of expected) assert.ok(stdout.includes(line), stdout);
    const mended = await work.push("Mended", {
      [path]: "name: Broken\non: push\njobs: { a: { runs-on: x, steps: [] } }\n",
    });
    assert.doesNotMatch(mended.said, /will not run:/);
  });

  test("when a kustomization names a file that is not there, then the Application says where and what to do", async () => {
    const before = (await environments.git(["rev-parse", "HEAD"])).stdout.trim();
    const { sha } = await environments.push("Cache", {
      "team/kustomization.yaml": `${kustomization}  - cache.yaml\n`,
    });
    const detail = await untilApplication("the condition", ({ conditions }) => conditions.length > 0);
    assert.deepEqual(
      detail.conditions.map(({ type, message }) => [type, message]),
      [
        [
          "ComparisonError",
          `Cannot render "team" at ${sha.slice(0, 12)}: team/kustomization.yaml:5:5: resources[1]: file "cache.yaml" does not exist in "team": add it to the commit, or remove the entry`,
        ],
      ],
    );
    assert.deepEqual([detail.sync, detail.health, detail.revision], ["Unknown", "Healthy", before]);
    assert.match((await tidegate.cli(["apps", "web"])).stdout, /ComparisonError: .*team\/kustomization\.yaml:5:5: /);
    assert.match((await tidegate.cli(["sync", "web"], 1)).stdout, /^Error .*team\/kustomization\.yaml:5:5: /);
    const mended = await environments.push("Without cache", { "team/kustomization.yaml": kustomization });
    await untilApplication("the end of it", (it) => it.sync === "Synced" && it.revision === mended.sha);
  });

  test("when a Rollout breaks a rule, then the sync fails with field, place and reason, and nothing is applied", async () => {
    const generation = (): Promise<Finished> =>
      kubectl(["get", "rollout", "web", "-o", "jsonpath={.metadata.generation}"]);
    const { stdout: before } = await generation();
    await environments.push("Too much", { "team/web.yaml": rollout("[{ setWeight: 150 }]") });
    const reason =
      'team/web.yaml:20:28: Rollout "web": Rollout.argoproj.io "web" is invalid: ' +
      "spec.strategy.canary.steps[0].setWeight: Invalid value: 150: SetWeight needs to be between 0 and 100";
    const detail = await untilApplication("the condition", ({ conditions }) => conditions.length > 0);
    const { type, message = "" } = detail.conditions[0] ?? {};
    assert.equal(type, "SyncError");
    assert.ok(message.includes(reason), message);
    const { operationMessage = "" } = detail;
    assert.ok(operationMessage.includes(reason), operationMessage);
    assert.deepEqual([detail.sync, detail.health], ["OutOfSync", "Healthy"]);
    const condition = "jsonpath={.status.conditions[?(@.type=='SyncError')].message}";
    const { stdout } = await run("kubectl", ["-n", "argocd", "get", "app", "web", "-o", condition], {
      env: tidegate.env,
    });
    assert.ok(stdout.includes(reason), stdout);
    assert.equal((await generation()).stdout, before);
    const mended = await environments.push("Half of it", { "team/web.yaml": rollout("[{ setWeight: 75 }]") });
    const after = await untilApplication("the end of it", (it) => it.sync === "Synced" && it.revision === mended.sha);
    assert.deepEqual(after.conditions, []);
  });

  test("when a Dockerfile cannot be read, then log and annotation name its line, and nothing is pushed", async () => {
    const work = await newRepository(tidegate, "acme/broken");
    const { sha } = await work.push("Image", {
      ".github/workflows/image.yml": imageWorkflow,
      Dockerfile: "FROM scratch\nWORKDIR /app\nCOPPY . ./\n",
    });
    const failed = await completedRun(sha);
    assert.equal(failed.conclusion, "failure");
    const [annotation] = failed.jobs[0]?.annotations ?? [];
    assert.deepEqual(
      [annotation?.level, annotation?.path, annotation?.startLine, annotation?.message],
      ["error", "Dockerfile", 3, 'Unknown instruction "COPPY": did you mean COPY?'],
    );
    const { stdout: log } = await tidegate.cli(["logs", failed.id]);
    assert.match(log, /^##\[error\]Dockerfile:3:1: Unknown instruction "COPPY": did you mean COPY\?$/m);
    const { stdout } = await tidegate.cli(["runs", failed.id]);
    assert.match(stdout, /^ +error: Dockerfile:3: Unknown instruction "COPPY": did you mean COPY\?$/m);
    const response = await fetch(`${tidegate.url}/v2/acme/broken/tags/list`, {
      headers: { authorization: `Bearer ${tidegate.adminToken}` },
    });
    assert.equal(response.status, 404);
  });

  test("when somebody rewrites the protected environments, then the push says which rule and what to do", async () => {
    await tidegate.cli(["repo", "protect", "acme/environments", "--branch", "main"]);
    await environments.git(["reset", "--quiet", "--hard", "HEAD~1"]);
    await environments.commit("Another history", { "team/web.yaml": rollout("[{ setWeight: 1 }]") });
    const { stderr } = await environments.git(["push", "--force", "origin", "HEAD:main"], 1);
    assert.match(stderr, /\(protected branch: rule "main" forbids force pushes; pull and rebase, then push again\)/);
    const { revision, sync } = await tidegate.api<ApplicationDetail>("/applications/argocd/web");
    const { stdout } = await environments.git(["ls-remote", "origin", "refs/heads/main"]);
    assert.deepEqual([sync, revision], ["Synced", stdout.slice(0, 40)]);
  });
});
