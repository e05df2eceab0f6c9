/** What actions are given: defaults, empty values, and inputs that they do not know. */
import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { logOf, startBuiltInJobs, wholeLog, type BuiltInJobs, type StepText } from "../../support/built-in-jobs.ts";

let jobs: BuiltInJobs;
before(async () => {
  jobs = await startBuiltInJobs();
});
after(async () => await jobs[Symbol.asyncDispose]());

const manifest = [
  "name: Say",
  "inputs:",
  "  plain: { default: usual }",
  "  depth-of: { default: '@{{ runner.os }}' }",
  "  none: { description: has no default }",
  "  old: { deprecationMessage: take plain instead }",
].join("\n");
const javascript = [
  `mkdir -p js && cat > js/action.yml <<'X'\n${manifest}\nruns: { using: node24, main: main.js }\nX`,
  // Expressions of the action, not of this step.
  "sed -i 's/@/$/g' js/action.yml",
  `cat > js/main.js <<'X'\nfor (const [name, value] of Object.entries(process.env).sort()) if (name.startsWith("INPUT_")) console.log(name + "=[" + value + "]");\nX`,
].join("\n");
const composite = [
  `mkdir -p co && cat > co/action.yml <<'X'\n${manifest}`,
  "runs:",
  "  using: composite",
  `  steps: [{ shell: bash, run: 'echo "[@{{ inputs.plain }}] [@{{ inputs.none }}] [@{{ inputs.extra }}]"' }]`,
  "X",
  "sed -i 's/@/$/g' co/action.yml",
].join("\n");

test("an input takes its default where the step does not name it, and is empty where the step says so", async () => {
  const record = await jobs.run([
    { run: `${javascript}\n${composite}` },
    { name: "usual", uses: "./js" },
    { name: "empty", uses: "./js", with: { Plain: "", "depth-of": "" } },
    { name: "composite", uses: "./co", with: { plain: "", extra: "1" } },
  ]);
  equal(record.completed?.conclusion, "success", wholeLog(record));
  const said = (name: string): readonly string[] =>
    logOf(record, name)
      .split("\n")
      .filter((line) => /^INPUT_|^\[/.test(line));
  deepEqual(said("usual"), ["INPUT_DEPTH-OF=[Linux]", "INPUT_NONE=[]", "INPUT_OLD=[]", "INPUT_PLAIN=[usual]"]);
  deepEqual(said("empty"), ["INPUT_DEPTH-OF=[]", "INPUT_NONE=[]", "INPUT_OLD=[]", "INPUT_PLAIN=[]"]);
  deepEqual(said("composite"), ["[] [] [1]"]);
});

test("an input that an action does not know is warned about and handed to it; a deprecated one says why", async () => {
  const record = await jobs.run([
    { run: javascript },
    { name: "unknown", uses: "./js", with: { "new thing": "1", other: "2", old: "" } },
    { name: "built-in", uses: "actions/cache@v4", with: { path: "x", key: "k", "save-always": "false", pth: "y" } },
  ]);
  match(logOf(record, "unknown"), /INPUT_NEW_THING=\[1\]\n/);
  const warnings = record.completed?.annotations
    .filter(({ level }) => level === "warning")
    .map(({ message }) => message);
  deepEqual(
    warnings?.map((message) => message.split("\n")[0]),
    [
      "Input 'old' has been deprecated with message: take plain instead",
      "Unexpected input(s) 'new thing', 'other', valid inputs are ['plain', 'depth-of', 'none', 'old']",
      "Input 'save-always' has been deprecated with message: save-always does not work as intended and will be removed in a future release.",
      "Unexpected input(s) 'pth', valid inputs are ['path', 'key', 'restore-keys', 'enableCrossOsArchive', 'fail-on-cache-miss', 'lookup-only', 'upload-chunk-size', 'save-always']",
    ],
    wholeLog(record),
  );
});

const coreSchema = (name: string): RegExp =>
  new RegExp(
    `##\\[error\\]Input does not meet YAML 1.2 "Core Schema" specification: ${name}\nSupport boolean input list: \`true \\| True`,
  );

/** Built-in actions that are told nothing where something has to be said, and what they say to it. */
const refusals: readonly { readonly name: string; readonly step: StepText; readonly says: RegExp }[] = [
  {
    name: "a token for checkout",
    step: { uses: "actions/checkout@v5", with: { token: "" } },
    says: /##\[error\]Input required and not supplied: token$/m,
  },
  {
    name: "a token for a script",
    step: { uses: "actions/github-script@v7", with: { script: "return 1", "github-token": "" } },
    says: /##\[error\]Unhandled error: Error: Input required and not supplied: github-token$/m,
  },
  {
    name: "whether a script is to tell more",
    step: { uses: "actions/github-script@v7", with: { script: "return 1", debug: "" } },
    says: /specification: debug/,
  },
  {
    name: "a name for an artifact",
    step: { uses: "actions/upload-artifact@v4", with: { name: "", path: "x" } },
    says: /##\[error\]Provided artifact name input during validation is empty/,
  },
  {
    name: "whether to overwrite",
    step: { uses: "actions/upload-artifact@v4", with: { path: "x", overwrite: "" } },
    says: coreSchema("overwrite"),
  },
  {
    name: "whether to put artifacts together",
    step: { uses: "actions/download-artifact@v4", with: { "merge-multiple": "" } },
    says: /specification: merge-multiple/,
  },
  {
    name: "whose artifacts",
    step: { uses: "actions/download-artifact@v4", with: { "github-token": "x", repository: "" } },
    says: /##\[error\]Unable to download artifact\(s\): Invalid repository: ''\. Must be in format owner\/repo/,
  },
  {
    name: "whether Go's packages are kept",
    step: { uses: "actions/setup-go@v5", with: { cache: "" } },
    says: coreSchema("cache"),
  },
  {
    name: "whether a Python is for others",
    step: { uses: "actions/setup-python@v5", with: { "python-version": "3.97", "update-environment": "" } },
    says: coreSchema("update-environment"),
  },
  {
    name: "whether to log out",
    step: { uses: "docker/login-action@v3", with: { username: "ada", password: "pass-word-1", logout: "" } },
    says: coreSchema("logout"),
  },
  {
    name: "a key for a cache",
    step: { uses: "actions/cache@v4", with: { path: "x", key: "" } },
    says: /##\[error\]Input required and not supplied: key$/m,
  },
];

test("built-in actions take an empty value for what it is, as the official ones do", async () => {
  const steps = refusals.map(({ name, step }) => ({ ...step, name, if: "always()" }));
  const record = await jobs.run([{ run: "echo x > x" }, ...steps]);
  for (const { name, says } of refusals) match(logOf(record, name), says, name);
});

test("a mistake about how an artifact is kept fails the step, and the artifact is there all the same", async () => {
  const record = await jobs.run(
    [
      { run: "echo x > x" },
      {
        name: "up",
        id: "up",
        uses: "actions/upload-artifact@v4",
        with: { path: "x", "if-no-files-found": "shrug", "retention-days": "soon" },
      },
      { if: "always()", uses: "actions/download-artifact@v4", with: { path: "back" } },
      {
        name: "look",
        if: "always()",
        run: 'cat back/artifact/x; echo "${{ steps.up.outcome }} [${{ steps.up.outputs.artifact-id }}]"',
      },
    ],
    { runId: "21" },
  );
  match(
    logOf(record, "up"),
    /##\[error\]Unrecognized if-no-files-found input\. Provided: shrug\. Available options: warn,error,ignore\n##\[error\]Invalid retention-days\n/,
  );
  match(logOf(record, "look"), /x\nfailure \[\d+\]$/, wholeLog(record));
});

test("the builder that is not set up tells all that workflows ask of one", async () => {
  const record = await jobs.run([
    { id: "x", uses: "docker/setup-buildx-action@v4", with: { name: "mine", config: "old.toml" } },
    {
      name: "look",
      env: { OUTPUTS: "${{ toJSON(steps.x.outputs) }}", NODE: "${{ fromJSON(steps.x.outputs.nodes)[0].status }}" },
      run: 'echo "$OUTPUTS"; echo "$NODE"',
    },
  ]);
  match(
    logOf(record, "look"),
    /"name": "mine",\n *"driver": "tidegate",\n *"platforms": "linux\/\w+",\n *"nodes": .*\n *"endpoint": "",\n *"status": "running",\n *"flags": ""\n\}\nrunning$/,
    wholeLog(record),
  );
  match(wholeLog(record), /##\[warning\]Unexpected input\(s\) 'config'/);
});
