import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatProblem } from "#lib";
import { linkCalls, type CalledFile } from "../parse/link-calls.ts";
import { parseWorkflowFile } from "../parse/workflow-file.ts";
import { Simulation, simulate } from "./simulation.ts";

const origin = { repository: "acme/shop", ref: "refs/heads/main", sha: "5".repeat(40) };

/** A file that can be called; `on` in flow style after `workflow_call:`. */
function called(jobs: string, on = "", top = ""): string {
  return `on: { workflow_call: { ${on} } }\n${top}jobs:\n${jobs}`;
}

async function link(
  text: string,
  files: Readonly<Record<string, string>>,
): Promise<{ readonly run: () => Simulation; readonly problems: readonly string[] }> {
  const path = ".github/workflows/ci.yml";
  const parsed = parseWorkflowFile(path, text);
  assert.deepEqual(parsed.problems.map(formatProblem), []);
  assert.ok(parsed.value);
  const load = ({
    path: file,
    repository,
    ref,
  }: {
    path: string;
    repository?: string;
    ref?: string;
  }): Promise<CalledFile> => {
    const found = files[repository === undefined ? file : `${repository}/${file}@${ref}`];
    return Promise.resolve(
      found === undefined
        ? { problem: "there is no such file" }
        : {
            text: found,
            origin: repository === undefined ? origin : { repository, ref: ref ?? "", sha: "7".repeat(40) },
          },
    );
  };
  const { value, problems } = await linkCalls(parsed.value, { origin, load });
  assert.ok(value);
  return { run: () => new Simulation(value).settle(), problems: problems.map(formatProblem) };
}

const build = ".github/workflows/build.yml";
const make = "{ runs-on: x, steps: [{ run: make }] }";

describe("a called workflow", () => {
  test("runs within its caller, which hands its outputs on", async () => {
    const { run, problems } = await link(
      [
        "on: push",
        "jobs:",
        "  build:",
        `    uses: ./${build}`,
        "    with: { level: 3, name: x }",
        "  after: { runs-on: x, needs: build, steps: [{ run: make }], outputs: {}, name: 'got ${{ needs.build.outputs.tag }}' }",
      ].join("\n"),
      {
        [build]: called(
          `  one: { runs-on: x, steps: [{ run: make }], name: "level \${{ inputs.level }} \${{ inputs.dry }}" }\n  two: { runs-on: x, needs: one, steps: [{ run: make }] }`,
          "inputs: { level: { type: number, required: true }, name: { type: string }, dry: { type: boolean } }, outputs: { tag: { value: '${{ jobs.two.outputs.tag }}-${{ inputs.name }}' } }",
        ),
      },
    );
    assert.deepEqual(problems, []);
    const simulation = run();
    assert.deepEqual(simulation.states(), {
      build: "in_progress",
      after: "waiting",
      "build:0/one": "queued",
      "build:0/two": "waiting",
    });
    assert.equal(simulation.instanceOf("build:0/one").name, "build / level 3 false");
    simulation.end("build:0/one", "success").end("build:0/two", "success", { tag: "v1" });
    assert.equal(simulation.state("build"), "success");
    assert.equal(simulation.instanceOf("after").name, "got v1-x");
    assert.equal(simulation.end("after", "success").conclusion, "success");
  });

  test("has one instance for each combination, and its failure is the caller's", async () => {
    const text = `on: push\njobs:\n  d: { uses: ./${build}, strategy: { fail-fast: true, max-parallel: 2, matrix: { env: [a, b, c] } } }\n`;
    const { run } = await link(text, { [build]: called(`  go: ${make}`) });
    const simulation = run();
    assert.deepEqual(simulation.states(), {
      d: "in_progress",
      "d.1": "in_progress",
      "d.2": "waiting",
      "d:0/go": "queued",
      "d:1/go": "queued",
    });
    assert.equal(simulation.instanceOf("d:1/go").name, "d (b) / go");
    simulation.start("d:1/go").end("d:0/go", "failure");
    // Fail-fast reaches into the sibling: what runs there is told to stop.
    assert.deepEqual(simulation.states(), {
      d: "failure",
      "d.1": "cancelling",
      "d.2": "cancelled",
      "d:0/go": "failure",
      "d:1/go": "cancelling",
    });
    assert.equal(simulation.end("d:1/go", "cancelled").conclusion, "failure");
  });

  test("whose jobs are all skipped is skipped, with the reason on each", async () => {
    const text = `on: push\njobs:\n  a: { uses: ./${build}, with: { on: false } }\n`;
    const { run } = await link(text, {
      [build]: called(
        `  go: { if: inputs.on, runs-on: x, steps: [{ run: make }] }`,
        "inputs: { on: { type: boolean } }",
      ),
    });
    assert.equal(run().conclusion, "skipped");
  });

  test("fails its caller when an input does not fit in the end", async () => {
    const text = `on: push\njobs:\n  a: { uses: ./${build}, with: { level: "\${{ github.ref }}" } }\n`;
    const { run } = await link(text, { [build]: called(`  go: ${make}`, "inputs: { level: { type: number } }") });
    assert.deepEqual([run().state("a"), run().conclusion], ["failure", "failure"]);
  });

  test("is cancelled with the run, but for what insists", async () => {
    const text = `on: push\njobs:\n  a: { uses: ./${build} }\n`;
    const jobs = `  go: ${make}\n  next: { runs-on: x, needs: go, steps: [{ run: x }] }\n  last: { runs-on: x, needs: go, if: always(), steps: [{ run: x }] }`;
    const { run } = await link(text, { [build]: called(jobs) });
    const simulation = run().start("a:0/go");
    simulation.cancelRequested = true;
    simulation.settle().end("a:0/go", "cancelled");
    assert.equal(simulation.state("a:0/next"), "cancelled");
    assert.equal(simulation.end("a:0/last", "success").conclusion, "cancelled");
  });
});

describe("calls that do not fit", () => {
  const level = "inputs: { level: { type: number, required: true } }, secrets: { KEY: { required: true } }";
  const cases: readonly { name: string; call: string; file?: string; want: readonly RegExp[] }[] = [
    {
      name: "a file that is not there",
      call: "uses: ./.github/workflows/none.yml",
      want: [/:4:11: .*there is no such file/],
    },
    {
      name: "a file that cannot be called",
      call: `uses: ./${build}`,
      file: `on: push\njobs:\n  a: ${make}`,
      want: [/:4:11: .*has no "workflow_call" under "on"/],
    },
    {
      name: "a file with errors, which are told where they are",
      call: `uses: ./${build}`,
      file: called("  a: { runs-on: x, needs: b }"),
      want: [/build\.yml:3:27: needs: .*not a job/, /:4:11: .*it has errors/],
    },
    {
      name: "inputs and secrets",
      call: `uses: ./${build}\n    with: { other: 1 }\n    secrets: { FOO: x }`,
      file: called(`  a: ${make}`, level),
      want: [
        /:5:20: with\.other: .*no input "other"\. It has level/,
        /:4:11: with: .*needs input "level"/,
        /:6:21: secrets\.FOO: .*no secret "FOO"\. It has KEY/,
        /:4:11: secrets: .*needs secret "KEY"/,
      ],
    },
    {
      name: "an input of the wrong type",
      call: `uses: ./${build}\n    with: { level: high }\n    secrets: inherit`,
      file: called(`  a: ${make}`, level),
      want: [/:5:20: with\.level: Input "level" is "high"\. It must be a number/],
    },
    {
      name: "permissions beyond what the caller has",
      call: `uses: ./${build}\n    permissions: { contents: read }`,
      file: called(
        `  a: { runs-on: x, permissions: { contents: write }, steps: [{ run: x }] }`,
        "",
        "permissions: { issues: read }\n",
      ),
      want: [
        /:3:3: .*it asks for issues: read, but is only allowed issues: none/,
        /:3:3: .*its job "a" asks for contents: write, but is only allowed contents: read/,
      ],
    },
    {
      name: "a circle",
      call: `uses: ./${build}`,
      file: called(`  a: { uses: ./${build} }`),
      want: [/build\.yml:3:14: .*it calls itself/],
    },
  ];
  for (const { name, call, file, want } of cases) {
    test(name, async () => {
      const text = `on: push\njobs:\n  go:\n    ${call}\n`;
      const { problems } = await link(text, file === undefined ? {} : { [build]: file });
      assert.equal(problems.length, want.length, problems.join("\n"));
      for (const [index, pattern] of want.entries()) assert.match(problems[index] ?? "", pattern);
    });
  }

  test("calls nested too deep", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [
        `.github/workflows/w${index}.yml`,
        called(`  a: { uses: ./.github/workflows/w${index + 1}.yml }`),
      ]),
    );
    const { problems } = await link("on: push\njobs:\n  a: { uses: ./.github/workflows/w0.yml }\n", files);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", /w8\.yml:3:14: .*over 10 levels deep/);
  });

  test("a file of another repository calls those beside it", async () => {
    const shared = "acme/shared/.github/workflows/";
    const { run, problems } = await link(`on: push\njobs:\n  a: { uses: ${shared}x.yml@v1 }\n`, {
      [`${shared}x.yml@v1`]: called("  b: { uses: ./.github/workflows/y.yml }"),
      ".github/workflows/y.yml": called(`  c: ${make}`),
    });
    assert.deepEqual(problems, []);
    assert.equal(run().state("a:0/b:0/c"), "queued");
  });
});

describe("concurrency of a job", () => {
  test("lets it begin when its group does", () => {
    const run = simulate({ a: "concurrency: 'deploy-${{ github.ref }}'" });
    assert.deepEqual(run.jobs[0]?.groups, [{ name: "deploy-refs/heads/main", state: "pending" }]);
    assert.equal(run.state("a"), "waiting");
    assert.equal(run.admit("a").state("a"), "queued");
  });

  test("that the run holds already would wait for ever", () => {
    const given = simulate({ a: "concurrency: Deploy" }).workflow;
    const run = new Simulation(given);
    run.group = "deploy";
    assert.equal(run.settle().conclusion, "failure");
  });
});
