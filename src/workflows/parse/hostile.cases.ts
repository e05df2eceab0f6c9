/** Files made to hurt whoever reads them: every one is to be refused, with its place, and soon. */

export interface HostileFile {
  readonly name: string;
  readonly text: string;
}

const job = "  a: { runs-on: x, steps: [{ run: make }] }\n";

/** A right file but for what is put in. */
function withJobs(jobs: string, top = ""): string {
  return `on: push\n${top}jobs:\n${jobs}`;
}

function withStep(step: string): string {
  return withJobs(`  a:\n    runs-on: x\n    steps:\n      - ${step}\n`);
}

function withExpression(expression: string): string {
  return withStep(`run: "echo \${{ ${expression} }}"`);
}

function withOn(on: string): string {
  return `on: ${on}\njobs:\n${job}`;
}

/** Each level names the one before ten times. */
function bomb(levels: number, width: number): string {
  const lines = [`a0: &a0 [${Array.from({ length: width }, () => "x").join(", ")}]`];
  for (let level = 1; level <= levels; level += 1) {
    const again = Array.from({ length: width }, () => `*a${level - 1}`).join(", ");
    lines.push(`a${level}: &a${level} [${again}]`);
  }
  return lines.join("\n");
}

function ring(length: number): string {
  return Array.from(
    { length },
    (_, index) => `  j${index}: { runs-on: x, needs: j${(index + 1) % length}, steps: [{ run: x }] }\n`,
  ).join("");
}

function yamlFiles(): readonly HostileFile[] {
  const nested = (open: string, close: string, depth: number): string =>
    `on: ${open.repeat(depth)}x${close.repeat(depth)}`;
  return [
    ...[5, 6, 7, 8, 9, 12, 20].map((levels) => ({ name: `aliases ${levels} levels deep`, text: bomb(levels, 10) })),
    { name: "wide aliases", text: bomb(3, 60) },
    { name: "an alias of itself in a list", text: "on: &a [*a]\njobs: {}" },
    { name: "an alias of what is around it", text: "on: push\njobs: &a\n  x: *a\n" },
    { name: "two aliases of each other", text: "on: &a { b: &b { a: *a } }\njobs: { x: *b }" },
    { name: "an alias of nothing", text: "on: *none\njobs: {}" },
    ...[51, 60, 200, 5_000, 100_000].map((depth) => ({
      name: `${depth} lists in lists`,
      text: nested("[", "]", depth),
    })),
    ...[51, 1_000, 20_000].map((depth) => ({
      name: `${depth} mappings in mappings`,
      text: nested("{a: ", "}", depth),
    })),
    { name: "brackets that are never closed", text: `on: ${"[".repeat(50_000)}` },
    { name: "braces that are never closed", text: `on: ${"{a: ".repeat(50_000)}` },
    { name: "deep blocks", text: Array.from({ length: 2_000 }, (_, index) => `${" ".repeat(index)}a:`).join("\n") },
    { name: "deep dashes", text: `on: push\njobs:\n  ${"- ".repeat(5_000)}x` },
    { name: "a file over a mebibyte", text: `on: push # ${"x".repeat(1024 * 1024)}` },
    { name: "a mebibyte of one text", text: withStep(`run: "${"x".repeat(1024 * 1024)}"`) },
    {
      name: "as many keys as fit",
      text: `on: push\n${Array.from({ length: 60_000 }, (_, index) => `k${index}: 1`).join("\n")}`,
    },
    { name: "as many items as fit", text: `on: [${"push,".repeat(150_000)}]` },
    {
      name: "as many anchors as fit",
      text: `on:\n${Array.from({ length: 40_000 }, (_, index) => `- &k${index} x`).join("\n")}`,
    },
    { name: "a key that is a list", text: "? [a, b]\n: c" },
    { name: "a key that is a mapping", text: "? {a: b}\n: c" },
    { name: "a tag that makes code", text: 'on: !!js/function "function () {}"\njobs: {}' },
    { name: "a tag of its own", text: "on: !secret x\njobs: {}" },
    { name: "binary data", text: "on: !!binary aGVsbG8=\njobs: {}" },
    { name: "a number that is none", text: "on: push\nenv: { A: !!int x }\njobs: {}" },
    { name: "two documents", text: `${withJobs(job)}---\n${withJobs(job)}` },
    { name: "tabs", text: "on: push\njobs:\n\ta:\n\t\truns-on: x" },
    { name: "a text without an end", text: 'on: "push\njobs: {}' },
    { name: "a key twice", text: `on: push\non: push\njobs:\n${job}` },
    { name: "a job twice, in other letters", text: withJobs(`${job}${job.replace("a:", "A:")}`) },
    { name: "nothing", text: "" },
    { name: "a list", text: "- on: push" },
    { name: "a null byte", text: `on: push\njobs:\n  "a\\0b": { runs-on: x }\n` },
    { name: "a merge of everything", text: `x: &x { a: 1 }\n<<: [*x, *x]\non: push\njobs: {}` },
  ];
}

function expressionFiles(): readonly HostileFile[] {
  const deep = (depth: number): string => `${"(".repeat(depth)}1${")".repeat(depth)}`;
  const calls = (depth: number): string => `${"format('{0}', ".repeat(depth)}1${")".repeat(depth)}`;
  const expressions: readonly (readonly [name: string, expression: string])[] = [
    ["parentheses", deep(60)],
    ["many parentheses", deep(5_000)],
    ["calls in calls", calls(60)],
    ["not, not, not", `${"!".repeat(10_000)}true`],
    ["dots", `github${".a".repeat(5_000)}`],
    ["brackets", `github${"['a']".repeat(3_000)}`],
    ["an endless or", Array.from({ length: 4_000 }, () => "true").join(" || ")],
    ["a context that is not there", "constructor.constructor"],
    ["what objects inherit", "__proto__.polluted"],
    ["a function that is not there", "eval('1')"],
    ["a function of JavaScript", "constructor('1')"],
    ["too few arguments", "contains('a')"],
    ["too many arguments", "toJSON(1, 2, 3)"],
    ["quotes of the wrong kind", "contains(`a`, `b`)"],
    ["a text without an end", "'a"],
    ["a number without an end", "0x"],
    ["an assignment", "github.ref = 'x'"],
    ["two values", "1 2"],
    ["nothing", ""],
    ["an operator alone", "&&"],
  ];
  return [
    ...expressions.map(([name, expression]) => ({
      name: `an expression of ${name}`,
      text: withExpression(expression),
    })),
    { name: "an expression without an end", text: withStep("run: echo ${{ github.ref") },
    {
      name: "a script with expressions that is too long",
      text: withStep(`run: "\${{ github.ref }}${"x".repeat(30_000)}"`),
    },
    {
      name: "secrets in a condition of a job",
      text: withJobs("  a: { runs-on: x, if: secrets.A != '', steps: [{ run: x }] }\n"),
    },
    { name: "steps in the name of a run", text: withJobs(job, "run-name: ${{ steps.a.outputs.b }}\n") },
    { name: "files hashed where there are none", text: withJobs("  a: { runs-on: \"${{ hashFiles('**') }}\" }\n") },
    { name: "an expression among the events", text: withOn("${{ fromJSON('[]') }}") },
    { name: "an expression as the id of a job", text: withJobs("  ${{ github.ref }}: { runs-on: x }\n") },
    { name: "an insert into a text", text: withStep("run: x ${{ insert }}") },
  ];
}

function graphFiles(): readonly HostileFile[] {
  const ids = ["../x", "a/b", "a:0/b", "__proto__", "a b", "-a", "1a", "a".repeat(101), "", "a.b", "ä"];
  return [
    ...[1, 2, 3, 100, 500].map((length) => ({ name: `a ring of ${length} jobs`, text: withJobs(ring(length)) })),
    {
      name: "a ring with a way in",
      text: withJobs(`${job}  b: { runs-on: x, needs: [a, c] }\n  c: { runs-on: x, needs: b }\n`),
    },
    { name: "a need of nobody", text: withJobs("  a: { runs-on: x, needs: b }\n") },
    ...ids.map((id) => ({
      name: `the id ${JSON.stringify(id.slice(0, 20))} of a job`,
      text: withJobs(`  ${JSON.stringify(id)}: { runs-on: x }\n`),
    })),
    ...ids
      .slice(3, 7)
      .map((id) => ({ name: `the id ${id} of a step`, text: withStep(`{ id: ${JSON.stringify(id)}, run: x }`) })),
    {
      name: "an id used twice",
      text: withJobs("  a: { runs-on: x, steps: [{ id: b, run: x }, { id: B, run: y }] }\n"),
    },
    { name: "no jobs", text: "on: push\njobs: {}" },
    { name: "a job that does nothing", text: withJobs("  a: {}\n") },
    { name: "steps that are a text", text: withJobs("  a: { runs-on: x, steps: make }\n") },
    { name: "run and uses at once", text: withStep("{ run: x, uses: a/b@c }") },
  ];
}

function referenceFiles(): readonly HostileFile[] {
  const calls = [
    "./../../etc/passwd",
    "./.github/workflows/../../../etc/x.yml",
    "./.github/workflows/a/b.yml",
    "/etc/passwd",
    "file:///etc/passwd",
    "owner/repo/.github/workflows/../x.yml@main",
    "owner/repo/.github/workflows/x.yml",
    "owner/repo/../x/.github/workflows/x.yml@main",
    "../owner/.github/workflows/x.yml@main",
    "a b/c/.github/workflows/x.yml@main",
    "javascript:alert(1)",
  ];
  return [
    ...calls.map((uses) => ({ name: `a call of ${uses}`, text: withJobs(`  a: { uses: ${JSON.stringify(uses)} }\n`) })),
    ...["checkout", "owner/repo", "@main", "a@b", "$(id)/x@y", "/etc/passwd@x"].map((uses) => ({
      name: `the action ${uses}`,
      text: withStep(`uses: ${JSON.stringify(uses)}`),
    })),
    ...["* * * *", "*/0 * * * *", "61 * * * *", "@reboot", "0 0 30 2 *", `${"1,".repeat(5_000)}1 * * * *`].map(
      (cron) => ({
        name: `the schedule ${cron.slice(0, 20)}`,
        text: withOn(`{ schedule: [{ cron: ${JSON.stringify(cron)} }] }`),
      }),
    ),
    {
      name: "a time zone out of a folder",
      text: withOn('{ schedule: [{ cron: "0 0 * * *", timezone: "../../etc/passwd" }] }'),
    },
    { name: "an event that objects inherit", text: withOn("constructor") },
    { name: "an event that is a prototype", text: withOn("{ __proto__: { types: [x] } }") },
    { name: "a permission that is not there", text: withJobs(job, "permissions: { everything: write }\n") },
    { name: "a level that is not there", text: withJobs(job, "permissions: { contents: admin }\n") },
  ];
}

/** Made anew at each call: together they are large. */
export function hostileFiles(): readonly HostileFile[] {
  return [...yamlFiles(), ...expressionFiles(), ...graphFiles(), ...referenceFiles()];
}
