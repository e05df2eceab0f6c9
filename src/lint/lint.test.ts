import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allRules, blockingFindings, defaultPolicy, lintFiles, readPolicy, toSarif, type Finding } from "./index.ts";

const commit = "11bd71901bbe5b1630ceea73d27597364c9af683";

function lint(text: string, policy = defaultPolicy, path = ".github/workflows/ci.yml"): readonly Finding[] {
  return lintFiles([{ path, text }], policy);
}

function steps(text: string, on = "push"): string {
  const indented = text
    .split("\n")
    .map((line) => `      ${line}`)
    .join("\n");
  return `name: CI\non: ${on}\npermissions: {}\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n${indented}\n`;
}

function jobs(text: string, on = "push"): string {
  return `name: CI\non: ${on}\npermissions: {}\njobs:\n  build:\n    runs-on: ubuntu-latest\n${text}\n    steps:\n      - run: make\n`;
}

interface Case {
  readonly rule: string;
  readonly bad: string;
  readonly good: string;
  /** `line:column` of the finding in `bad`. */
  readonly at?: string;
  readonly path?: string;
}

const step = `- uses: actions/checkout@${commit} # v4.2.2\n  with: { persist-credentials: false }`;

const cases: readonly Case[] = [
  {
    rule: "action",
    bad: steps("- uses: actions/checkout@v7\n  with: { fetchDepth: 0 }"),
    good: steps("- uses: actions/checkout@v7\n  with: { Fetch-Depth: 0 }"),
    at: "9:17",
  },
  {
    rule: "events",
    bad: steps("- run: make", "{ schedule: [{ cron: '1,3,30 * * * *' }] }"),
    good: steps("- run: make", "{ schedule: [{ cron: '*/5 * * * *' }, { cron: '58,3 1 * * *' }] }"),
    at: "2:26",
  },
  {
    rule: "events",
    bad: steps("- run: make", "{ workflow_dispatch: { inputs: { a: { type: choice, options: [b, c, b] } } } }"),
    good: steps("- run: make", "{ workflow_dispatch: { inputs: { a: { type: choice, options: [b, c] } } } }"),
    at: "2:73",
  },
  {
    rule: "events",
    bad: steps("- run: make", "{ workflow_call: { inputs: { a: { type: string, required: true, default: b } } } }"),
    good: steps("- run: make", "{ workflow_call: { inputs: { a: { type: string, default: b } } } }"),
  },
  ...[
    "github.repository.owner",
    "github.evnt.number",
    "format('{0}', 1, 2)",
    "fromJSON('[1')",
    "github.event == 'push'",
  ].map((expression) => ({
    rule: "expression",
    bad: steps(`- run: make\n  if: ${expression}`),
    good: steps("- run: make\n  if: github.event.repository.owner == 'a' && format('{0}', github.sha) == 'b'"),
    at: "9:13",
  })),
  {
    rule: "expression",
    bad: steps("- run: echo ${{ github.event }}"),
    good: steps("- run: echo ${{ toJSON(github.event) }}"),
    at: "8:19",
  },
  {
    rule: "expression",
    bad: jobs("    name: ${{ matrix.os }}\n    strategy: { matrix: { os: [{ name: a }, { name: b }] } }"),
    good: jobs("    name: ${{ matrix.os.name }}\n    strategy: { matrix: { os: [{ name: a }, { name: b, c: d }] } }"),
  },
  {
    rule: "expression",
    bad: jobs("    name: ${{ matrix.os.c }}\n    strategy: { matrix: { os: [{ name: a }, { name: b }] } }"),
    good: jobs("    name: ${{ matrix.os.c }}\n    strategy: { matrix: { os: [{ name: a }, { name: b, c: d }] } }"),
  },
  {
    rule: "glob",
    bad: steps("- run: make", "{ push: { tags: ['v[9-0]'] } }"),
    good: steps("- run: make", "{ push: { tags: ['v[0-9]+', 'a\\+'] } }"),
  },
  {
    rule: "matrix",
    bad: jobs("    strategy: { matrix: { os: [{ n: a, v: 1 }], exclude: [{ os: { n: b } }] } }"),
    good: jobs("    strategy: { matrix: { os: [{ n: a, v: 1 }], exclude: [{ os: { n: a } }] } }"),
  },
  {
    rule: "runner-label",
    bad: jobs("").replace("ubuntu-latest", "[ubuntu-latest, windows-latest]"),
    good: jobs("").replace("ubuntu-latest", "[self-hosted, linux, gpu]"),
    at: "6:30",
  },
  {
    rule: "runner-label",
    bad: jobs("    strategy: { matrix: { os: [ubuntu-24.04, ubuntu-oldest] } }").replace(
      "ubuntu-latest",
      "${{ matrix.os }}",
    ),
    good: jobs("    strategy: { matrix: { os: [ubuntu-24.04] } }").replace("ubuntu-latest", "${{ matrix.os }}"),
    at: "7:46",
  },
  {
    rule: "shell-name",
    bad: steps("- run: make\n  shell: powershell"),
    good: steps("- run: make\n  shell: pwsh"),
  },
  {
    rule: "value-range",
    bad: jobs("    timeout-minutes: 0"),
    good: jobs("    timeout-minutes: 0.5\n    strategy: { max-parallel: 2 }"),
    at: "7:22",
  },
  {
    rule: "workflow-call",
    bad: "on: workflow_call\npermissions: {}\njobs:\n  a:\n    uses: ./.github/workflows/ci.yml\n    with: { b: 1 }\n",
    good: "on:\n  workflow_call: { inputs: { b: { type: number } } }\njobs:\n  a:\n    uses: ./.github/workflows/ci.yml\n    with: { b: 1 }\n",
    at: "6:16",
  },
  {
    rule: "adhoc-packages",
    bad: steps("- run: |\n    make\n    gem i rake"),
    good: steps("- run: |\n    # gem i rake\n    npm install ./packed.tgz"),
    at: "10:11",
  },
  {
    rule: "bot-conditions",
    bad: steps("- if: github.actor_id == 49699333\n  run: make"),
    good: steps("- if: github.actor_id == 1\n  run: make"),
  },
  {
    rule: "cache-poisoning",
    bad: steps("- uses: actions/setup-node@v5", "{ push: { tags: ['v*'] } }"),
    good: steps(
      "- uses: actions/setup-node@v5\n  with: { package-manager-cache: false }",
      "{ push: { tags: ['v*'] } }",
    ),
  },
  {
    rule: "cache-poisoning",
    bad: steps("- uses: actions/cache@v5\n  with: { path: a, key: b }", "release"),
    good: steps(
      "- uses: actions/cache@v5\n  with: { path: a, key: b, lookup-only: \"${{ github.ref_type == 'tag' }}\" }",
      "release",
    ),
  },
  {
    rule: "dangerous-triggers",
    bad: steps("- run: make", "[push, issue_comment]"),
    good: steps(`- uses: actions/labeler@${commit}`, "pull_request_target"),
    at: "2:12",
  },
  {
    rule: "github-env",
    bad: steps('- run: echo "A=$(make name)" >> "$GITHUB_ENV"', "workflow_run"),
    good: steps('- run: echo "A=1" >> "$GITHUB_ENV"', "workflow_run"),
  },
  {
    rule: "github-env",
    bad: steps('- run: |\n    "A=$env:B" | Out-File $env:GITHUB_PATH\n  shell: pwsh', "workflow_run"),
    good: steps('- run: |\n    "A=$env:B" | Out-File $env:GITHUB_OUTPUT\n  shell: pwsh', "workflow_run"),
  },
  {
    rule: "github-app",
    bad: steps(
      `- uses: actions/create-github-app-token@${commit}\n  with: { owner: acme, permission-contents: read, app-id: 1 }`,
    ),
    good: steps(
      `- uses: actions/create-github-app-token@${commit}\n  with: { owner: acme, permission-members: read, app-id: 1 }`,
    ),
  },
  {
    rule: "insecure-commands",
    bad: steps("- run: make\n  env: { ACTIONS_ALLOW_UNSECURE_COMMANDS: 1 }"),
    good: steps("- run: make\n  env: { ACTIONS_ALLOW_UNSECURE_COMMANDS: no }"),
  },
  {
    rule: "misfeature",
    bad: `defaults: { run: { shell: cmd } }\n${steps("- run: make")}`,
    good: `defaults: { run: { shell: pwsh } }\n${steps("- run: make")}`,
    at: "1:27",
  },
  {
    rule: "obfuscation",
    bad: steps("- run: make\n  env: { A: \"${{ format('{0}', 'b') }}\" }"),
    good: steps("- run: make\n  if: ${{ contains(fromJSON('[\"a\"]'), github.ref_name) }}"),
  },
  {
    rule: "obfuscation",
    bad: steps("- uses: actions/checkout@v7\n  with: ${{ fromJSON(vars.OPTIONS) }}"),
    good: steps("- uses: actions/checkout@v7\n  with: { ref: main }"),
  },
  {
    rule: "secrets-outside-env",
    bad: steps("- run: make\n  env: { A: '${{ secrets.A }}' }"),
    good: steps("- run: make\n  env: { A: '${{ secrets.A }}' }", "workflow_call"),
  },
  {
    rule: "template-injection",
    bad: steps("- run: echo ${{ env.T }}\n  env: { T: '${{ github.event.issue.title }}' }"),
    good: steps('- run: echo "$T"\n  env: { T: "${{ github.event.issue.title }}" }'),
    at: "8:19",
  },
  {
    rule: "template-injection",
    bad: jobs("    strategy: { matrix: { a: '${{ fromJSON(needs.plan.outputs.a) }}' } }").replace(
      "make",
      "make ${{ matrix.a }}",
    ),
    good: jobs("    strategy: { matrix: { a: [b] } }").replace("make", "make $A"),
  },
  {
    rule: "undocumented-permissions",
    bad: "name: A\non: push\npermissions:\n  packages: write #\njobs: {}\n",
    good: "name: A\non: push\npermissions:\n  packages: write # of the image\njobs: {}\n",
  },
  {
    rule: "use-trusted-publishing",
    bad: steps("- run: |\n    cargo +nightly \\\n      publish"),
    good: steps("- run: cargo publish --dry-run"),
    at: "9:11",
  },
  { rule: "action", bad: steps("- uses: checkout"), good: steps(step), at: "8:15" },
  {
    rule: "action",
    bad: steps("- uses: actions/cache@v2"),
    good: steps("- uses: actions/cache@v4\n  with: { path: a, key: b }"),
  },
  {
    rule: "adhoc-packages",
    bad: steps("- run: npm install -g typescript"),
    good: steps("- run: npm install --no-audit && npm ci"),
  },
  {
    rule: "anonymous-definition",
    bad: "on: push\njobs: {}\n",
    good: steps(step).replace("runs-on", "name: Build\n    runs-on"),
    at: "1:1",
  },
  {
    rule: "anonymous-definition",
    bad: steps(step),
    good: steps(step).replace("runs-on", "name: Build\n    runs-on"),
    at: "5:3",
  },
  { rule: "archived-uses", bad: steps("- uses: actions-rs/cargo@v1"), good: steps("- run: cargo test") },
  { rule: "artipacked", bad: steps(`- uses: actions/checkout@${commit}`), good: steps(step), at: "8:15" },
  {
    rule: "bot-conditions",
    bad: steps("- if: github.actor == 'dependabot[bot]'\n  run: make"),
    good: steps("- if: github.event.pull_request.user.login == 'dependabot[bot]'\n  run: make"),
    at: "8:13",
  },
  {
    rule: "cache-poisoning",
    bad: steps("- uses: actions/setup-node@v4\n  with: { cache: npm }", "{ release: { types: [published] } }"),
    good: steps("- uses: actions/setup-node@v4\n  with: { cache: npm }", "push"),
  },
  {
    rule: "concurrency-limits",
    bad: steps(step),
    good: `concurrency: { group: a, cancel-in-progress: true }\n${steps(step)}`,
    at: "2:1",
  },
  { rule: "if-cond", bad: steps("- if: true\n  run: make"), good: steps("- if: always()\n  run: make") },
  { rule: "dangerous-triggers", bad: steps(step, "pull_request_target"), good: steps(step, "pull_request"), at: "2:5" },
  {
    rule: "dependabot-cooldown",
    path: ".github/dependabot.yml",
    bad: "version: 2\nupdates:\n  - package-ecosystem: npm\n",
    good: "version: 2\nupdates:\n  - package-ecosystem: npm\n    cooldown: { default-days: 7 }\n",
  },
  {
    rule: "dependabot-execution",
    path: ".github/dependabot.yml",
    bad: "version: 2\nupdates:\n  - package-ecosystem: pip\n    insecure-external-code-execution: allow\n",
    good: "version: 2\nupdates:\n  - package-ecosystem: pip\n    insecure-external-code-execution: deny\n",
    at: "4:5",
  },
  {
    rule: "deprecated-commands",
    bad: steps('- run: echo "::set-output name=a::b"'),
    good: steps('- run: echo "a=b" >> "$GITHUB_OUTPUT"'),
  },
  { rule: "env-var", bad: jobs("    env: { FOO=BAR: a }"), good: jobs("    env: { FOO: a }"), at: "7:12" },
  {
    rule: "excessive-permissions",
    bad: jobs("    permissions: write-all"),
    good: jobs("    permissions: { contents: read }"),
    at: "7:18",
  },
  {
    rule: "expression",
    bad: jobs("    name: ${{ matrix.oz }}\n    strategy: { matrix: { os: [a], include: [{ os: b, n: 1 }] } }"),
    good: jobs(
      "    name: ${{ matrix.os }}${{ matrix.N }}\n    strategy: { matrix: { os: [a], include: [{ os: b, n: 1 }] } }",
    ),
    at: "7:11",
  },
  {
    rule: "expression",
    bad: steps("- run: echo ${{ steps.a.outputs.x }}\n- id: a\n  run: make"),
    good: steps("- id: a\n  run: make\n- run: echo ${{ steps.a.outputs.x }}"),
    at: "8:19",
  },
  {
    rule: "expression",
    bad: "on: push\njobs:\n  a: { runs-on: x, outputs: { v: '1' }, steps: [] }\n  b: { needs: a, if: needs.a.outputs.w, runs-on: x, steps: [] }\n",
    good: "on: push\njobs:\n  a: { runs-on: x, outputs: { v: '1' }, steps: [] }\n  b: { needs: a, if: needs.a.outputs.v, runs-on: x, steps: [] }\n",
  },
  {
    rule: "expression",
    bad: steps("- run: make\n  env: { A: '${{ inputs.b }}' }", "{ workflow_dispatch: { inputs: { a: {} } } }"),
    good: steps("- run: make\n  env: { A: '${{ inputs.a }}' }", "{ workflow_dispatch: { inputs: { a: {} } } }"),
  },
  {
    rule: "github-app",
    bad: steps("- uses: actions/create-github-app-token@v2\n  with: { owner: acme }"),
    good: steps("- uses: actions/create-github-app-token@v2\n  with: { permission-contents: read }"),
  },
  {
    rule: "github-env",
    bad: steps('- run: echo "A=$B" >> "$GITHUB_ENV"', "workflow_run"),
    good: steps('- run: echo "A=$B" >> "$GITHUB_ENV"', "push"),
  },
  {
    rule: "glob",
    bad: steps(step, "{ push: { branches: [refs/heads/main] } }"),
    good: steps(step, '{ push: { branches: ["release/**", "!release/old"] } }'),
    at: "2:26",
  },
  {
    rule: "hardcoded-container-credentials",
    bad: jobs("    container: { image: a/b:1, credentials: { username: u, password: hunter2 } }"),
    good: jobs("    container: { image: a/b:1, credentials: { username: u, password: '${{ secrets.P }}' } }"),
  },
  {
    rule: "insecure-commands",
    bad: jobs("    env: { ACTIONS_ALLOW_UNSECURE_COMMANDS: true }"),
    good: jobs("    env: { ACTIONS_ALLOW_UNSECURE_COMMANDS: false }"),
  },
  {
    rule: "insecure-url-scheme",
    path: ".pre-commit-config.yaml",
    bad: "repos:\n  - repo: http://example.com/a\n",
    good: "repos:\n  - repo: https://example.com/a\n  - repo: local\n",
    at: "2:11",
  },
  {
    rule: "matrix",
    bad: jobs("    strategy: { matrix: { os: [a, b], exclude: [{ os: c }] } }"),
    good: jobs("    strategy: { matrix: { os: [a, b], exclude: [{ os: b }] } }"),
  },
  {
    rule: "matrix",
    bad: jobs("    strategy: { matrix: { n: [1, 2, 1] } }"),
    good: jobs("    strategy: { matrix: { n: [1, '1'] } }"),
  },
  { rule: "misfeature", bad: steps("- run: dir\n  shell: cmd"), good: steps("- run: ls\n  shell: bash") },
  {
    rule: "obfuscation",
    bad: steps("- run: make\n  env: { A: \"${{ format('{0}', 'x') }}\" }"),
    good: steps("- run: make\n  env: { A: \"${{ format('{0}', github.sha) }}\" }"),
  },
  {
    rule: "obfuscation",
    bad: steps("- uses: actions/checkout/../cache@v4"),
    good: steps("- uses: github/codeql-action/init@v3"),
  },
  {
    rule: "overprovisioned-secrets",
    bad: steps("- run: make\n  env: { ALL: '${{ toJSON(secrets) }}' }"),
    good: steps("- run: make\n  env: { ONE: '${{ secrets.ONE }}' }"),
    at: "9:22",
  },
  { rule: "ref-version-mismatch", bad: steps(`- uses: a/b@${commit}`), good: steps(`- uses: a/b@${commit} # v1.2`) },
  {
    rule: "runner-label",
    bad: "on: push\njobs:\n  a:\n    runs-on: gpu\n    steps: []\n",
    good: steps(step),
    at: "4:14",
  },
  {
    rule: "secrets-inherit",
    bad: "on: push\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n    secrets: inherit\n",
    good: "on: push\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n    secrets: { A: '${{ secrets.A }}' }\n",
    at: "5:14",
  },
  {
    rule: "secrets-in-logs",
    bad: steps("- run: echo ${{ secrets.A }}"),
    good: steps("- run: make\n  env: { A: '${{ secrets.A }}' }"),
  },
  {
    rule: "secrets-outside-env",
    bad: steps("- run: make\n  env: { A: '${{ secrets.A }}' }"),
    good: steps("- run: make\n  env: { A: '${{ secrets.GITHUB_TOKEN }}' }"),
  },
  {
    rule: "self-hosted-runner",
    bad: "on: push\njobs:\n  a:\n    runs-on: [self-hosted, linux]\n    steps: []\n",
    good: steps(step),
  },
  {
    rule: "shell-name",
    bad: steps("- run: ls\n  shell: fish"),
    good: steps("- run: ls\n  shell: fish {0}"),
    at: "9:16",
  },
  {
    rule: "superfluous-actions",
    bad: steps("- uses: softprops/action-gh-release@v2"),
    good: steps("- run: gh release create v1"),
  },
  {
    rule: "template-injection",
    bad: steps('- run: |\n    make\n    echo "${{ github.event.issue.title }}"'),
    good: steps('- run: echo "$TITLE"\n  env: { TITLE: "${{ github.event.issue.title }}" }'),
    at: "10:17",
  },
  {
    rule: "template-injection",
    bad: steps("- uses: actions/github-script@v7\n  with: { script: 'console.log(`${{ github.head_ref }}`)' }"),
    good: steps("- uses: actions/github-script@v7\n  with: { script: 'console.log(process.env.GITHUB_HEAD_REF)' }"),
  },
  {
    rule: "template-injection",
    bad: steps("- run: echo ${{ toJSON(github.event) }}"),
    good: steps("- run: echo \"$N\"\n  env: { N: '${{ inputs.n }}' }", "workflow_dispatch"),
  },
  {
    rule: "typosquat-uses",
    bad: steps("- uses: action/checkout@v4"),
    good: steps("- uses: actions/chekout@v4"),
    at: "8:15",
  },
  {
    rule: "undocumented-permissions",
    bad: jobs("    permissions:\n      issues: write"),
    good: jobs("    permissions:\n      issues: write # to answer"),
  },
  {
    rule: "unpinned-images",
    bad: jobs("    container: node"),
    good: jobs(`    container: "node:22@sha256:${"0".repeat(64)}"`),
    at: "7:16",
  },
  {
    rule: "unpinned-tools",
    bad: steps("- uses: aquasecurity/setup-trivy@v1"),
    good: steps("- uses: aquasecurity/setup-trivy@v1\n  with: { version: v0.70.0 }"),
  },
  {
    rule: "unpinned-uses",
    bad: steps("- uses: a/b@v1"),
    good: steps(`- uses: a/b@${commit}\n- uses: ./local`),
    at: "8:15",
  },
  {
    rule: "unpinned-images",
    bad: steps("- uses: docker://alpine:3"),
    good: steps("- uses: docker://alpine@sha256:abc"),
  },
  {
    rule: "unpinned-images",
    bad: jobs("    strategy: { matrix: { image: [node:22] } }\n    container: ${{ matrix.image }}"),
    good: jobs("    strategy: { matrix: { image: ['node@sha256:abc', ''] } }\n    container: ${{ matrix.image }}"),
    at: "8:16",
  },
  {
    rule: "self-repository",
    bad: steps("- uses: ./tools/build"),
    good: steps("- uses: $/tools/build"),
    at: "8:15",
  },
  {
    rule: "unredacted-secrets",
    bad: steps("- run: make\n  env: { A: '${{ fromJSON(secrets.ALL).a }}' }"),
    good: steps("- run: make\n  env: { A: '${{ fromJSON(vars.ALL).a }}' }"),
  },
  {
    rule: "unsound-condition",
    bad: steps("- if: |\n    ${{ false }}\n  run: make"),
    good: steps("- if: ${{ github.ref == 'a' }}\n  run: make"),
  },
  {
    rule: "unsound-contains",
    bad: steps("- if: contains('refs/heads/main refs/heads/dev', github.ref)\n  run: make"),
    good: steps("- if: contains(fromJSON('[\"refs/heads/main\"]'), github.ref)\n  run: make"),
  },
  {
    rule: "unsound-ternary",
    bad: steps("- run: make\n  env: { A: \"${{ github.ref == 'x' && '' || 'b' }}\" }"),
    good: steps("- run: make\n  env: { A: \"${{ github.ref == 'x' && 'a' || '' }}\" }"),
  },
  {
    rule: "untrusted-checkout",
    bad: steps(
      "- uses: actions/checkout@v4\n  with: { ref: '${{ github.event.pull_request.head.sha }}' }",
      "pull_request_target",
    ),
    good: steps(
      "- uses: actions/checkout@v4\n  with: { ref: '${{ github.event.pull_request.head.sha }}' }",
      "pull_request",
    ),
  },
  {
    rule: "use-trusted-publishing",
    bad: steps("- uses: pypa/gh-action-pypi-publish@release/v1\n  with: { password: '${{ secrets.P }}' }"),
    good: steps("- uses: pypa/gh-action-pypi-publish@release/v1"),
  },
];

const pedantic = { ...defaultPolicy, pedantic: true };

describe("each rule finds what it is for, at its place, and nothing where it is done right", () => {
  for (const [index, { rule, bad, good, at, path }] of cases.entries()) {
    test(`${rule} (${index})`, () => {
      const found = lint(bad, pedantic, path).filter((finding) => finding.rule === rule);
      assert.notEqual(found.length, 0, "nothing found");
      if (at !== undefined) assert.equal(`${found[0]?.line}:${found[0]?.column}`, at);
      const clean = lint(good, pedantic, path).filter((finding) => finding.rule === rule);
      assert.deepEqual(clean, []);
    });
  }

  test("every rule has a case, those that need a policy apart", () => {
    const tried = new Set(cases.map((one) => one.rule));
    const untried = allRules.map((rule) => rule.name).filter((name) => !tried.has(name));
    assert.deepEqual(untried, ["forbidden-uses"]);
  });
});

describe("what a file of the repository gives another is held against what that one takes", () => {
  const called = ".github/workflows/called.yml";
  const files = (calling: string): readonly { path: string; text: string }[] => [
    { path: ".github/workflows/ci.yml", text: calling },
    {
      path: called,
      text: `on:\n  workflow_call:\n    inputs: { name: { type: string, required: true } }\n    outputs: { tag: { value: '\${{ jobs.a.outputs.tag }}' } }\njobs:\n  a:\n    runs-on: ubuntu-latest\n    outputs: { tag: '1' }\n    steps: [{ run: make }]\n`,
    },
    {
      path: "tools/build/action.yml",
      text: "name: Build\ndescription: Builds\ninputs:\n  target: { description: a, required: true }\n  old: { description: a, deprecationMessage: Use target }\nruns: { using: composite, steps: [] }\n",
    },
  ];
  const found = (calling: string, isWhole = true): readonly string[] =>
    lintFiles(files(calling), defaultPolicy, { isWhole })
      .filter(({ rule, file }) => file.endsWith("ci.yml") && ["workflow-call", "action", "expression"].includes(rule))
      .map(({ severity, line, message }) => `${severity} ${line} ${message}`);
  const call = (text: string): string => `on: push\npermissions: {}\njobs:\n  a:\n    uses: ${text}\n`;

  test("a call", () => {
    assert.deepEqual(found(call(`./${called}\n    with: { name: a }`)), []);
    assert.deepEqual(found(call(`./${called}\n    with: { nme: a }`)).toSorted(), [
      'error 5 The called workflow needs input "name". Give it under "with"',
      'error 6 The called workflow has no input "nme". It has name',
    ]);
  });
  test("a call of what is not there, where all files are looked at", () => {
    const text = call("./.github/workflows/none.yml");
    assert.deepEqual(found(text), [
      'error 5 "./.github/workflows/none.yml" is not in this repository. Correct the path',
    ]);
    assert.deepEqual(found(text, false), []);
  });
  test("an output of a call", () => {
    const text = (output: string): string =>
      `${call(`./${called}\n    with: { name: a }`)}  b:\n    needs: a\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n        if: needs.a.outputs.${output}\n`;
    assert.deepEqual(found(text("tag")), []);
    assert.deepEqual(found(text("tga")), ['warning 12 Job "a" has no output "tga"']);
  });
  test("an action of this repository", () => {
    assert.deepEqual(found(steps("- uses: ./tools/build\n  with: { target: a }")), []);
    assert.deepEqual(found(steps("- uses: ./tools/build\n  with: { old: a, taget: b }")), [
      'error 8 "./tools/build" needs input "target". Give it under "with"',
      'note 9 Input "old" is deprecated: Use target',
      'warning 9 "./tools/build" has no input "taget". It has target, old',
    ]);
    assert.deepEqual(found(steps("- uses: ./tools/biuld")), [
      'warning 8 "./tools/biuld" has no action.yml in this repository. Correct the path',
    ]);
  });
  test("an action that a checkout into a folder brings is not missed", () => {
    const text = "- uses: actions/checkout@v7\n  with: { repository: a/b, path: tools }\n- uses: ./tools/biuld";
    assert.deepEqual(found(steps(text)), []);
  });
});

test("what cannot run is found as syntax, with the reader's place", () => {
  const found = lint("on: push\njobs:\n  a:\n    runs-onn: x\n    steps: []\n").find((one) => one.rule === "syntax");
  assert.equal(found?.severity, "error");
  assert.equal(found.line, 4);
});

test("what a rule says is not said as syntax too", () => {
  const found = lint(steps("- if: true && ${{ github.ref == 'a' }}\n  run: make"));
  assert.deepEqual(
    found.map((one) => one.rule),
    ["unsound-condition"],
  );
});

test("steps of composite actions are looked at", () => {
  const text =
    'name: a\ndescription: b\nruns:\n  using: composite\n  steps:\n    - run: echo "${{ github.head_ref }}"\n      shell: bash\n';
  assert.deepEqual(
    lint(text, defaultPolicy, "tools/greet/action.yml").map((found) => found.rule),
    ["template-injection"],
  );
});

test("a comment on the line takes a finding away, its own rule only", () => {
  const line = "- uses: a/b@v1 # tidegate: ignore[unpinned-uses]";
  assert.deepEqual(lint(steps(line)), []);
  assert.equal(lint(steps("- uses: a/b@v1 # zizmor: ignore[artipacked]")).length, 1);
});

test("a policy changes severities, allows, ignores, forbids and blocks", () => {
  const { value: policy, problems } = readPolicy(
    ".tidegate/lint.yml",
    [
      "block: warning",
      "rules:",
      "  unpinned-uses: { severity: note, allow: ['actions/*'] }",
      "  forbidden-uses: { deny: ['evil/*'] }",
      "  archived-uses: { severity: off }",
      "  artipacked: { ignore: ['ci.yml:10'] }",
    ].join("\n"),
  );
  assert.deepEqual(problems, []);
  assert.ok(policy);
  const text = steps("- uses: actions-rs/cargo@v1\n- uses: evil/tool@v1\n- uses: actions/checkout@v5");
  const found = lint(text, policy);
  assert.deepEqual(
    found.map((one) => `${one.line} ${one.rule} ${one.severity}`),
    ["8 unpinned-uses note", "9 forbidden-uses error", "9 unpinned-uses note"],
  );
  assert.deepEqual(
    blockingFindings(found, policy).map((one) => one.rule),
    ["forbidden-uses"],
  );
  assert.deepEqual(blockingFindings(found, defaultPolicy), []);
});

test("a policy is told what is wrong in it, with place and remedy", () => {
  const { problems } = readPolicy(".tidegate/lint.yml", "block: always\nrules:\n  unpined-uses: { severity: high }\n");
  assert.deepEqual(
    problems.map((problem) => `${problem.at?.line}:${problem.at?.column} ${problem.path}`),
    ["1:8 block", "3:3 rules.unpined-uses", "3:29 rules.unpined-uses.severity"],
  );
});

test("SARIF knows what a program of others found, too", () => {
  const at = { file: ".github/workflows/ci.yml", line: 6, column: 19 };
  const log = toSarif([{ rule: "shellcheck", severity: "note", message: "SC2086: Quote", ...at }], "1.0.0");
  const [run] = log.runs as [{ tool: { driver: { rules: { id: string }[] } }; results: { ruleIndex: number }[] }];
  assert.equal(run.tool.driver.rules[run.results[0]?.ruleIndex ?? -1]?.id, "shellcheck");
});

test("SARIF has paths as references", () => {
  const log = toSarif(lint(steps("- uses: a/b@v1"), defaultPolicy, ".github/workflows/a b#ü.yml"), "1.0.0");
  assert.match(JSON.stringify(log), /"uri":"\.github\/workflows\/a%20b%23%C3%BC\.yml"/);
});

test("SARIF names each rule once and each place", () => {
  const log = toSarif(lint(steps("- uses: a/b@v1\n- uses: c/d@v1")), "1.0.0") as unknown as {
    runs: [{ tool: { driver: { rules: { id: string }[] } }; results: { ruleIndex: number; level: string }[] }];
  };
  assert.deepEqual(
    log.runs[0].tool.driver.rules.map((rule) => rule.id),
    ["unpinned-uses"],
  );
  assert.deepEqual(
    log.runs[0].results.map((result) => [result.ruleIndex, result.level]),
    [
      [0, "warning"],
      [0, "warning"],
    ],
  );
});
