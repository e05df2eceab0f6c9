/** Story: the actions that nearly every workflow begins with, without a network: what they keep is found where one looks. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { CodeFinding, RunCoverage, RunDetail, RunFindings } from "#api";
import { openBrowser, openPage, skipWithoutBrowser } from "../support/browser.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { until } from "../support/until.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

const build = `
on: { push: { branches: [main] } }
jobs:
  build:
    name: Build
    runs-on: ubuntu-latest
    permissions: { contents: read, actions: read, security-events: write }
    steps:
      - uses: actions/checkout@v4
      - uses: actions/cache@v4
        id: deps
        with: { path: deps, key: "deps-\${{ hashFiles('lock') }}" }
      - if: steps.deps.outputs.cache-hit != 'true'
        run: mkdir deps && echo "dependency" > deps/one
      - run: cat deps/one && echo "hit=\${{ steps.deps.outputs.cache-hit }}"
      - run: |
          mkdir -p dist out && cp src/app.js dist/
          printf 'SF:src/app.js\\nDA:1,1\\nDA:2,1\\nDA:3,0\\nend_of_record\\n' > out/lcov.info
      - uses: codecov/codecov-action@v4
        with: { flags: unit }
      - uses: github/codeql-action/upload-sarif@v3
        with: { sarif_file: scan.sarif }
      - uses: actions/upload-artifact@v4
        with: { name: dist, path: dist }
      - uses: actions/github-script@v7
        with:
          script: |
            const found = await github.rest.actions.listWorkflowRunArtifacts({ ...context.repo, run_id: context.runId });
            core.notice("Artifacts: " + found.data.artifacts.map(({ name }) => name).join());
`;

const deploy = `
on: { workflow_dispatch: { inputs: { run: { required: true } } } }
jobs:
  deploy:
    name: Deploy
    runs-on: ubuntu-latest
    permissions: { actions: read }
    steps:
      - uses: actions/download-artifact@v4
        with: { name: dist, path: site, run-id: "\${{ inputs.run }}", github-token: "\${{ github.token }}" }
      - run: cat site/app.js
`;

const sarif = {
  version: "2.1.0",
  runs: [
    {
      tool: { driver: { name: "Scan" } },
      results: [
        {
          ruleId: "S1",
          level: "error",
          message: { text: "The price is a string" },
          locations: [{ physicalLocation: { artifactLocation: { uri: "src/app.js" }, region: { startLine: 2 } } }],
        },
      ],
    },
  ],
};

const finding: CodeFinding = {
  tool: "Scan",
  rule: "S1",
  level: "error",
  message: "The price is a string",
  path: "src/app.js",
  line: 2,
};

describe("Given a workflow of the usual actions", () => {
  let tidegate: Tidegate;
  let copy: WorkCopy;

  before(async () => {
    tidegate = await startTidegate();
    copy = await newRepository(tidegate, "acme/shop");
  });
  after(async () => await tidegate[Symbol.asyncDispose]());

  const completed = async (path: string): Promise<RunDetail> => {
    const found = await until(tidegate, `the run of ${path}`, async () => {
      const { items } = await tidegate.api<{ items: RunDetail[] }>(path);
      return items[0]?.status === "completed" ? items[0] : undefined;
    });
    return await tidegate.api<RunDetail>(`/runs/${found.id}`);
  };
  const push = async (message: string): Promise<RunDetail> => {
    const { sha } = await copy.push(message, {
      ".github/workflows/build.yml": build,
      ".github/workflows/deploy.yml": deploy,
      "src/app.js": "const price = '1';\nshow(price);\n",
      lock: "one",
      "scan.sarif": JSON.stringify(sarif),
    });
    return await completed(`/runs?sha=${sha}`);
  };

  test("when it runs twice, then the second finds the cache of the first, and both keep what they report", async () => {
    const first = await push("One");
    const log = async (run: RunDetail): Promise<string> => (await tidegate.cli(["logs", run.id])).stdout;
    assert.equal(first.conclusion, "success", await log(first));
    assert.match(await log(first), /hit=\n/);
    const second = await push("Two");
    assert.match(await log(second), /Cache restored from key: deps-[0-9a-f]{64}[^]*hit=true/);

    const coverage = await tidegate.api<RunCoverage>(`/runs/${second.id}/coverage`);
    assert.deepEqual(coverage.files, [{ path: "src/app.js", covered: 2, lines: 3 }]);
    assert.deepEqual(coverage.uploads[0]?.flags, ["unit"]);
    assert.deepEqual((await tidegate.api<RunFindings>(`/runs/${second.id}/findings`)).items, [finding]);
    const annotations = second.jobs.flatMap((job) => job.annotations.map(({ message }) => message));
    assert.deepEqual(annotations.toSorted(), ["Artifacts: dist", "The price is a string"]);

    const shown = await tidegate.cli(["runs", "coverage", second.id]);
    assert.match(
      shown.stdout,
      /^66\.6 % of 3 lines in 1 files, from 1 reports\n {2}Build: unit\n[^]*src\/app\.js\s+66\.6 %\s+2\/3/,
    );
    const findings = await tidegate.cli(["runs", "findings", second.id]);
    assert.match(findings.stdout, /^src\/app\.js:2: error: The price is a string \[Scan\/S1\]\n1 finding\n$/);
    await tidegate.cli(["runs", "coverage", "no-such-run"], 1);
  });

  test("when another run asks for its artifact with the job's token, then it gets it", async () => {
    const [made] = (await tidegate.api<{ items: RunDetail[] }>("/runs?repository=acme/shop")).items;
    const path = "/repositories/acme/shop/workflows/deploy.yml/dispatches";
    const body = { ref: "main", inputs: { run: made?.id ?? "" } };
    const { runs } = await tidegate.api<{ runs: string[] }>(path, { method: "POST", body });
    const [id = ""] = runs;
    const run = await until(tidegate, `run ${id}`, async () => {
      const found = await tidegate.api<RunDetail>(`/runs/${id}`);
      return found.status === "completed" ? found : undefined;
    });
    const { stdout } = await tidegate.cli(["logs", id]);
    assert.equal(run.conclusion, "success", stdout);
    assert.match(stdout, /show\(price\);/);
  });

  test("when its page is opened, then coverage and findings are on it", { skip: skipWithoutBrowser() }, async () => {
    const { items } = await tidegate.api<{ items: RunDetail[] }>("/runs?repository=acme/shop");
    const run = items.find(({ event }) => event === "push");
    const browser = await openBrowser();
    try {
      await using opened = await openPage(browser);
      const { page, problems } = opened;
      const { url } = await tidegate.api<{ url: string }>("/login-codes", { method: "POST", body: {} });
      await page.goto(url);
      await page.goto(`${tidegate.url}/runs/${run?.id ?? ""}`);
      await page.getByRole("heading", { name: /^Coverage 66\.6 %/ }).waitFor();
      const findings = page.getByRole("region", { name: "Findings" });
      await findings.getByText("The price is a string").waitFor();
      await findings.getByText("src/app.js:2").waitFor();
      assert.deepEqual(problems, []);
    } finally {
      await browser.close();
    }
  });
});
