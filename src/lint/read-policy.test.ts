import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lintFiles, readPolicies } from "./index.ts";

const path = ".github/workflows/ci.yml";

function workflow(step: string): string {
  return `name: CI\non: push # zizmor: ignore[concurrency-limits]\npermissions: {}\njobs:\n  build:\n    runs-on: [gpu-large]\n    steps:\n      ${step}\n`;
}

function found(files: Readonly<Record<string, string>>, text: string, pedantic = false): readonly string[] {
  const { value, problems } = readPolicies(new Map(Object.entries(files)));
  assert.deepEqual(problems, []);
  return lintFiles([{ path, text }], { ...value, pedantic }).map(
    ({ severity, rule, line, column }) => `${severity} ${rule} ${line}:${column}`,
  );
}

const tagged = workflow("- uses: actions/setup-node@v4");
const branchName = workflow("- run: echo ${{ github.head_ref }}");

describe("What a repository told zizmor counts", () => {
  const rules = (text: string): Record<string, string> => ({ ".github/zizmor.yml": `rules:\n${text}` });
  const cases: readonly (readonly [string, Record<string, string>, string, readonly string[]])[] = [
    ["nothing is said", {}, tagged, ["note runner-label 6:15", "warning unpinned-uses 8:15"]],
    ["a rule is disabled", rules("  unpinned-uses: { disable: true }"), tagged, ["note runner-label 6:15"]],
    ["a file is left out", rules("  unpinned-uses: { ignore: [ci.yml] }"), tagged, ["note runner-label 6:15"]],
    ["a column is left out", rules("  unpinned-uses: { ignore: [ci.yml:8:15] }"), tagged, ["note runner-label 6:15"]],
    [
      "another column is left out",
      rules("  unpinned-uses: { ignore: [ci.yml:8:16] }"),
      tagged,
      ["note runner-label 6:15", "warning unpinned-uses 8:15"],
    ],
    [
      "a severity is mapped",
      rules("  unpinned-uses: { remap: { severity: high } }"),
      tagged,
      ["note runner-label 6:15", "error unpinned-uses 8:15"],
    ],
    [
      "the nearest pattern takes tags",
      rules("  unpinned-uses: { config: { policies: { '*': hash-pin, 'actions/*': ref-pin } } }"),
      tagged,
      ["note runner-label 6:15"],
    ],
    [
      "the nearest pattern takes commits only",
      rules("  unpinned-uses: { config: { policies: { actions/setup-node: hash-pin, '*': any } } }"),
      tagged,
      ["note runner-label 6:15", "warning unpinned-uses 8:15"],
    ],
    [
      "an action is denied",
      {
        "zizmor.yaml": "rules: { forbidden-uses: { config: { deny: [actions/*] } }, unpinned-uses: { disable: true } }",
      },
      tagged,
      ["note runner-label 6:15", "error forbidden-uses 8:15"],
    ],
    [
      "our own file says otherwise",
      {
        ...rules("  unpinned-uses: { disable: true, ignore: [other.yml] }"),
        ".tidegate/lint.yml": "rules: { unpinned-uses: { severity: note } }",
      },
      tagged,
      ["note runner-label 6:15", "note unpinned-uses 8:15"],
    ],
  ];
  for (const [name, files, text, expected] of cases) {
    test(`when ${name}`, () => assert.deepEqual(found(files, text), expected));
  }
});

describe("What a repository told actionlint counts", () => {
  const config = (text: string): Record<string, string> => ({ ".github/actionlint.yaml": text });
  test("labels of its runners are known, by patterns", () => {
    assert.deepEqual(found(config("self-hosted-runner: { labels: ['gpu-*'] }"), branchName), [
      "error template-injection 8:19",
    ]);
  });
  test("variables that it does not name are told of", () => {
    const text = workflow("- run: make ${{ vars.MODE }} ${{ vars.OTHER }}");
    assert.deepEqual(found(config("config-variables: [mode]\nself-hosted-runner: { labels: [gpu-large] }"), text), [
      "warning expression 8:36",
    ]);
    assert.deepEqual(found(config("self-hosted-runner: { labels: [gpu-large] }"), text), []);
  });
  test("messages are left out in the files it names, and in no others", () => {
    const silence = (glob: string): Record<string, string> =>
      config(`paths:\n  ${glob}:\n    ignore: ['No usual runner .+', '^".+" follows']\n`);
    assert.deepEqual(found(silence(".github/workflows/**/*.{yml,yaml}"), tagged), []);
    assert.equal(found(silence(".github/workflows/*.yaml"), tagged).length, 2);
  });
  test("a pattern that cannot be read is told of with its place", () => {
    const text = "paths:\n  ci.yml:\n    ignore: ['(?=a)']\n";
    const { problems } = readPolicies(new Map([[".github/actionlint.yml", text]]));
    assert.equal(problems[0]?.path, 'paths["ci.yml"].ignore');
    assert.deepEqual(problems[0]?.at, { file: ".github/actionlint.yml", line: 3, column: 13 });
  });
});

describe("A comment silences", () => {
  const injected = "echo ${{ github.head_ref }}";
  for (const [where, step] of [
    ["beside the line", `- run: ${injected} # tidegate: ignore[template-injection] measured`],
    [
      "beside the key of a block, where a comment fits",
      `- run: | # zizmor: ignore[template-injection]\n          ${injected}`,
    ],
    ["for several rules", `- run: ${injected} # zizmor: ignore[artipacked,template-injection]`],
  ] as const) {
    test(where, () => assert.deepEqual(found({}, workflow(step)), ["note runner-label 6:15"]));
  }
  test("nothing of another rule, and not from the line before", () => {
    const step = `- run: | # zizmor: ignore[artipacked]\n          ${injected}`;
    assert.equal(found({}, workflow(step)).length, 2);
  });
  test("what is about a block of the file anywhere in it", () => {
    assert.ok(!found({}, tagged, true).some((finding) => finding.includes("concurrency-limits")));
  });
});
