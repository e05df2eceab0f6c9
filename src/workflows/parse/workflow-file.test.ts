import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatProblem } from "#lib";
import { checkFiles, parseWorkflowFile } from "./workflow-file.ts";

const path = ".github/workflows/ci.yml";

/** Every key this room reads, in the forms real pipelines use. */
const full = `
name: Production pipeline
run-name: Deliver \${{ inputs.target }} by @\${{ github.actor }}
on:
  push:
    branches: [main, "releases/**"]
    tags-ignore: ["*-rc"]
    paths-ignore: ["docs/**"]
  pull_request: { types: [opened], branches: main }
  workflow_dispatch:
    inputs:
      target: { type: choice, options: [staging, production], default: staging, description: Where to }
      dry: { type: boolean, required: true }
permissions: { contents: read, id-token: write }
concurrency: { group: "deploy-\${{ github.ref }}", cancel-in-progress: true }
env:
  REGISTRY: registry.example.com
  COUNT: 3
  FLAG: yes
defaults: { run: { shell: bash } }
jobs:
  quality:
    name: Code quality
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with: { node-version: "20", cache: npm, fetch-depth: 0, deep: true }
      - name: Test
        id: tests
        if: github.ref == 'refs/heads/main'
        env: { CI: true }
        shell: sh
        working-directory: web
        continue-on-error: \${{ matrix.experimental }}
        timeout-minutes: 5
        run: |
          npm ci
          npm test -- \${{ matrix.suite }}
  build:
    needs: [Quality]
    if: \${{ !cancelled() && github.event_name == 'push' }}
    runs-on: [self-hosted, "\${{ matrix.os }}"]
    timeout-minutes: 30
    continue-on-error: true
    permissions: write-all
    environment: { name: staging, url: "https://example.com" }
    strategy:
      fail-fast: false
      max-parallel: 2
      matrix:
        os: [linux, mac]
        include: [{ os: linux, extra: 1 }]
    env: { IMAGE: "\${{ env.REGISTRY }}/web" }
    defaults: { run: { working-directory: app } }
    outputs: { tag: "\${{ steps.meta.outputs.version }}" }
    steps: [{ run: make }]
`.replace("${{ env.REGISTRY }}", "${{ vars.REGISTRY }}");

test("every key is read as it stands, block scalars as YAML means them", () => {
  const { value, problems } = parseWorkflowFile(path, full);
  assert.deepEqual(problems, []);
  const { jobs, ...root } = value ?? assert.fail();
  assert.deepEqual(root, {
    path,
    name: "Production pipeline",
    runName: "Deliver ${{ inputs.target }} by @${{ github.actor }}",
    on: {
      push: { branches: ["main", "releases/**"], tagsIgnore: ["*-rc"], pathsIgnore: ["docs/**"] },
      pullRequest: { types: ["opened"], branches: ["main"] },
      workflowDispatch: {
        inputs: [
          {
            name: "target",
            type: "choice",
            required: false,
            options: ["staging", "production"],
            description: "Where to",
            default: "staging",
          },
          { name: "dry", type: "boolean", required: true, options: [] },
        ],
      },
    },
    permissions: { contents: "read", "id-token": "write" },
    concurrency: { group: "deploy-${{ github.ref }}", cancelInProgress: true, queue: "single" },
    env: { REGISTRY: "registry.example.com", COUNT: "3", FLAG: "yes" },
    defaults: { shell: "bash" },
  });
  const [quality, build] = jobs;
  assert.deepEqual(quality?.steps[1]?.with, { "node-version": "20", cache: "npm", "fetch-depth": "0", deep: "true" });
  assert.deepEqual(quality?.steps[2], {
    id: "tests",
    contextName: "tests",
    name: "Test",
    if: "success() && (github.ref == 'refs/heads/main')",
    env: { CI: "true" },
    shell: "sh",
    workingDirectory: "web",
    continueOnError: "${{ matrix.experimental }}",
    timeoutMinutes: 5,
    run: "npm ci\nnpm test -- ${{ matrix.suite }}\n",
    at: { file: path, line: 29, column: 9 },
  });
  const { steps: _steps, at: _at, ...rest } = build ?? assert.fail();
  assert.deepEqual(rest, {
    key: "build",
    needs: ["quality"],
    if: "!cancelled() && github.event_name == 'push'",
    runsOn: { labels: ["self-hosted", "${{ matrix.os }}"] },
    timeoutMinutes: 30,
    continueOnError: true,
    permissions: "write-all",
    environment: { name: "staging", url: "https://example.com" },
    strategy: {
      failFast: false,
      maxParallel: 2,
      matrix: { os: ["linux", "mac"], include: [{ os: "linux", extra: 1 }] },
    },
    env: { IMAGE: "${{ vars.REGISTRY }}/web" },
    defaults: { workingDirectory: "app" },
    outputs: { tag: "${{ steps.meta.outputs.version }}" },
  });
});

/** A job `a` with these lines in it. */
function inJob(...lines: string[]): string {
  return ["on: push", "jobs:", "  a:", "    runs-on: x", ...lines.map((line) => `    ${line}`)].join("\n");
}

describe("problems", () => {
  const cases: readonly { name: string; text: string; want: readonly (readonly [place: string, message: RegExp])[] }[] =
    [
      { name: "no YAML", text: "on: [push\njobs: {}", want: [["2:1", /Not valid YAML/]] },
      {
        name: "a bracket too many, told once",
        text: inJob("steps:", "- run: echo", "  env: { A: nope {0}, B: 1 }", "- run: echo more", "- { run: x }"),
        want: [["7:22", /Not valid YAML: Unexpected flow-map-start/]],
      },
      {
        name: "an exclude by what is no list",
        text: inJob("strategy: { matrix: { os: [a], exclude: [{ OS: a, arch: b }] } }", "steps: [{ run: x }]"),
        want: [["5:55", /"arch" is no list of the matrix. Its lists are os/]],
      },
      {
        name: "a colon in a script",
        text: inJob("steps:", "- run: cut -d: -f2"),
        want: [["6:12", /Nested mappings are not allowed in compact mappings. Put quotes around/]],
      },
      { name: "no jobs", text: "on: push", want: [["1:1", /Required property is missing: jobs. Add it/]] },
      {
        name: "a key that does not exist",
        text: inJob("stpes: []"),
        want: [["5:5", /Unexpected value 'stpes'. Correct/]],
      },
      {
        name: "all at once, in order",
        text: inJob("needs: [b, a]", "if: foo == 1", "steps:", "- run: echo ${{ github.ref", "- uses: checkout"),
        want: [
          ["5:13", /Job "a" needs "b", which is not a job. Jobs are a/],
          ["5:16", /Job "a" needs itself/],
          ["6:9", /Unrecognized named-value: 'foo'. Use a context/],
          ["8:12", /not closed/],
          ["9:13", /Action "checkout" is not a reference/],
        ],
      },
      {
        name: "a context that the place may not read",
        text: inJob("if: secrets.X != ''", "steps: [{run: make}]"),
        want: [["5:9", /Unrecognized named-value: 'secrets'. It is a context that this key cannot read/]],
      },
      {
        name: "a step id twice",
        text: inJob("steps:", "- {id: a, run: x}", "- {id: A, run: y}"),
        want: [["7:12", /used twice/]],
      },
      {
        name: "ids that are no names",
        text: "on: push\njobs:\n  a b:\n    runs-on: x\n    steps: [{ id: __a, run: x }]\n  __c: { runs-on: x }",
        want: [
          ["3:3", /Job id "a b" is no name/],
          ["5:19", /Step id "__a" starts with "__", which is reserved/],
          ["6:3", /Job id "__c" starts with "__"/],
        ],
      },
      {
        name: "a circle without a beginning",
        text: "on: push\njobs:\n  a: { runs-on: x, needs: b }\n  b: { runs-on: x, needs: a }",
        want: [
          ["3:3", /No job can begin/],
          ["3:27", /Job "a" needs itself by way of "b"/],
          ["4:27", /Job "b" needs itself by way of "a"/],
        ],
      },
      {
        name: "a call of what is no workflow",
        text: "on: push\njobs:\n  a:\n    uses: ./ci/b.yml\n",
        want: [["4:11", /"\.\/ci\/b\.yml" is not a reference to a workflow. Write/]],
      },
      {
        name: "background steps that are not there",
        text: inJob(
          "steps:",
          "- { id: s, run: x, background: true }",
          "- wait: [s, t]",
          "- cancel: u",
          "- wait-all: false",
        ),
        want: [
          ["7:17", /There is no step "t" before this one/],
          ["8:15", /There is no step "u" before this one/],
          ["9:17", /"wait-all" is false/],
        ],
      },
      {
        name: "what does not go inside parallel",
        text: inJob("steps:", "- parallel:", "    - { run: x, background: true }", "    - wait-all:"),
        want: [
          ["7:21", /"background" does not go inside "parallel"/],
          ["8:11", /"wait-all" does not go inside "parallel"/],
        ],
      },
      {
        name: "schedules that are never due or nowhere",
        text: inJob("steps: [{run: x}]").replace(
          "push",
          "{ schedule: [{ cron: '61 * * * *' }, { cron: '0 4 * * *', timezone: Mars/Olympus }] }",
        ),
        want: [
          ["1:26", /"61" is no minute/],
          ["1:73", /"Mars\/Olympus" is no time zone/],
        ],
      },
      {
        name: "defaults of inputs that do not fit",
        text: inJob("steps: [{run: x}]").replace(
          "push",
          "{ workflow_dispatch: { inputs: { a: { type: choice, options: [x], default: y } } }, workflow_call: { inputs: { b: { type: number, default: z } } } }",
        ),
        want: [
          ["1:80", /Default "y" is none of the options. Options are x/],
          ["1:144", /Default of input "b" is "z". It must be a number/],
        ],
      },
      {
        name: "a vector without values and a group that is nowhere",
        text: "on: push\njobs:\n  a:\n    runs-on: { group: a/b/c }\n    strategy: { matrix: { v: [] } }",
        want: [
          ["4:23", /"a\/b\/c" is not the name of a runner group/],
          ["5:30", /Matrix has no values for "v"/],
        ],
      },
      {
        name: "filters that exclude each other",
        text: inJob("steps: [{run: x}]").replace("push", "{push: {paths: [a], paths-ignore: [b]}}"),
        want: [["1:25", /"paths" and "paths-ignore" exclude each other/]],
      },
      {
        name: "filters that can never match",
        text: inJob("steps: [{run: x}]").replace("push", "{push: {branches: ['!a']}}"),
        want: [["1:13", /only "!" patterns/]],
      },
      { name: "an alias of itself", text: "on: push\njobs: &a\n  x: *a\n", want: [["3:6", /refers to itself/]] },
    ];
  for (const { name, text, want } of cases) {
    test(name, () => {
      const { problems } = parseWorkflowFile(path, text);
      assert.equal(problems.length, want.length, problems.map(formatProblem).join("\n"));
      for (const [index, [place, message]] of want.entries()) {
        const problem = problems[index] ?? assert.fail();
        assert.equal(`${problem.at?.line}:${problem.at?.column}`, place, problem.message);
        assert.match(problem.message, message);
      }
    });
  }

  test("a merge key is named as what it is, once and at its place", () => {
    const text =
      "on: push\nenv: &e\n  A: b\njobs:\n  a:\n    runs-on: x\n    env:\n      <<: *e\n    steps: [{ run: a }]\n";
    assert.deepEqual(parseWorkflowFile(path, text).problems.map(formatProblem), [
      `${path}:8:7: Merge keys ("<<") are not read in workflows. Write the keys out, or give the whole mapping as an alias`,
    ]);
  });

  test("every event may stand alone or in a list", () => {
    for (const on of ["repository_dispatch", "[push, repository_dispatch]", "[branch_protection_rule, push]"]) {
      const { problems } = parseWorkflowFile(path, `on: ${on}\njobs:\n  a:\n    runs-on: x\n    steps: [{ run: a }]\n`);
      assert.deepEqual(
        problems.filter((problem) => problem.severity !== "warning"),
        [],
        on,
      );
    }
  });

  test("an event that nothing makes here is a warning, and the others still count", () => {
    const text = inJob("steps: [{run: x}]").replace("push", "[push, gollum, release]");
    const { value, problems } = parseWorkflowFile(path, text);
    assert.deepEqual(
      problems.map((problem) => [problem.severity, problem.at?.line, problem.at?.column]),
      [["warning", 1, 12]],
    );
    assert.deepEqual(value?.on, { push: {}, activities: { gollum: {}, release: {} } });
  });

  test("an image of the machine is a warning", () => {
    const { problems } = parseWorkflowFile(path, inJob("snapshot: img", "steps: [{run: x}]"));
    assert.deepEqual(
      problems.map((problem) => [problem.severity, problem.at?.line]),
      [["warning", 5]],
    );
  });

  test("of both forges' folders only Forgejo's own counts", () => {
    const files = [path, ".forgejo/workflows/a.yml", "README.md"].map((file) => ({ path: file, text: "broken: [" }));
    assert.deepEqual([...new Set(checkFiles(files).map((problem) => problem.at?.file))], [".forgejo/workflows/a.yml"]);
  });

  test("files elsewhere are not looked at", () => {
    assert.deepEqual(checkFiles([{ path: "workflows/ci.yml", text: "broken: [" }]), []);
    assert.equal(checkFiles([{ path, text: "broken: [" }]).length > 0, true);
  });
});

describe("hostile files are refused with a place", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 9; i++) {
    const previous = String.fromCharCode(96 + i);
    const name = String.fromCharCode(97 + i);
    bomb.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${previous}`).join(", ")}]`);
  }
  const cases: readonly (readonly [name: string, text: string])[] = [
    ["aliases of aliases", bomb.join("\n")],
    ["brackets in brackets", `on: ${"[".repeat(20_000)}`],
    ["mappings in mappings", Array.from({ length: 200 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
    ["too much text", `on: push # ${"x".repeat(1024 * 1024)}`],
    ["a key that is a list", "? [a, b]\n: c"],
  ];
  for (const [name, text] of cases) {
    test(name, () => {
      const { problems } = parseWorkflowFile(path, text);
      assert.ok(problems.length > 0);
      assert.ok(problems.every((problem) => problem.at?.file === path));
    });
  }
});

describe("the dialect of Forgejo", () => {
  const text =
    "on: push\nenable-openid-connect: true\njobs:\n  a:\n    runs-on: docker\n    if: forgejo.ref != ''\n    steps:\n      - uses: https://code.example.org/actions/checkout@v4\n";

  test("is read in its own folder", () => {
    assert.deepEqual(parseWorkflowFile(".forgejo/workflows/ci.yaml", text).problems, []);
  });

  test("is not read in GitHub's", () => {
    const lines = parseWorkflowFile(path, text).problems.map((problem) => problem.at?.line);
    assert.deepEqual(lines, [2, 6]);
  });
});

describe("steps", () => {
  test("without an id are named by what they do, each once", () => {
    const steps = ["run: a", "id: __x, run: b", "run: c", "uses: actions/checkout@v4", "uses: ./x"];
    const text = inJob("steps:", ...steps.map((step) => `- { ${step} }`).filter((step) => !step.includes("__x")));
    const names = parseWorkflowFile(path, text).value?.jobs[0]?.steps.map((step) => step.contextName);
    assert.deepEqual(names, ["__run", "__run_2", "__actions_checkout", "__self"]);
  });

  test("of a parallel block run in the background and are waited for", () => {
    const text = inJob("steps:", "- parallel:", "    - { id: a, run: x }", "    - run: y", "- run: z");
    const { value, problems } = parseWorkflowFile(path, text);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      value?.jobs[0]?.steps.map(({ contextName, background, parallelGroup, control }) => [
        contextName,
        background ?? false,
        parallelGroup,
        control,
      ]),
      [
        ["a", true, "__parallel", undefined],
        ["__run", true, "__parallel", undefined],
        ["__wait", false, "__parallel", { kind: "wait", steps: ["a", "__run"] }],
        ["__run_2", false, undefined, undefined],
      ],
    );
  });
});
