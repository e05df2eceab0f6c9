/** `codecov/codecov-action` and `github/codeql-action/upload-sarif`: what they send is kept with the run. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { logOf, startBuiltInJobs, wholeLog, type BuiltInJobs } from "../../support/built-in-jobs.ts";

let jobs: BuiltInJobs;
before(async () => void (jobs = await startBuiltInJobs()));
after(async () => await jobs[Symbol.asyncDispose]());

const lcov = (lines: string) =>
  `mkdir -p src pkg out; touch src/a.js pkg/b.go; printf 'SF:%s/src/a.js\\n${lines}end_of_record\\n' "$PWD" > out/lcov.info`;

test("reports are found, read, merged over the jobs of a run, and a re-run replaces its own", async () => {
  const upload = { name: "upload", uses: "codecov/codecov-action@v4", with: { flags: "unit,fast", name: "here" } };
  const first = await jobs.run([{ run: lcov("DA:1,1\\nDA:2,0\\nDA:3,0\\n") }, upload], {
    runId: "31",
    name: "node 20",
  });
  equal(first.completed?.conclusion, "success", wholeLog(first));
  match(
    logOf(first, "upload"),
    /Found out\/lcov\.info \(lcov, 1 files\)\nCoverage of 1 files: 33\.3 % \(1 of 3 lines\)\nKept with run 31/,
  );
  const go = "printf 'mode: set\\nexample.com/m/pkg/b.go:1.1,2.2 1 1\\n' > cover.out";
  await jobs.run([{ run: `${lcov("DA:1,0\\nDA:2,5\\n")}; ${go}` }, upload], { runId: "31", name: "node 22" });
  const both = await jobs.artifacts.reports.coverage("31");
  deepEqual(both.files, [
    { path: "src/a.js", covered: 2, lines: 3 },
    { path: "pkg/b.go", covered: 2, lines: 2 },
  ]);
  deepEqual([both.covered, both.lines], [4, 5]);
  deepEqual(
    both.uploads.map(({ job, name, flags }) => [job, name, flags.join(" ")]),
    [
      ["node 20", "here", "unit fast"],
      ["node 22", "here", "unit fast"],
    ],
  );
  await jobs.run([{ run: lcov("DA:1,1\\nDA:2,1\\nDA:3,1\\n") }, upload], {
    runId: "31",
    name: "node 20",
    runAttempt: 2,
  });
  const again = await jobs.artifacts.reports.coverage("31");
  deepEqual([again.covered, again.lines, again.uploads.length], [5, 5, 2]);
});

test("no report is a warning, or a failure when that is asked for; files are named, searched and excluded", async () => {
  const record = await jobs.run(
    [
      { name: "none", uses: "codecov/codecov-action@v5" },
      { run: `${lcov("DA:1,1\\n")}; echo hello > out/coverage.xml; cp out/lcov.info out/other.txt` },
      {
        name: "named",
        uses: "codecov/codecov-action@v5",
        with: { files: "./out/other.txt,out/missing.xml", disable_search: "true", dry_run: "true" },
      },
      { name: "excluded", uses: "codecov/codecov-action@v5", with: { exclude: "out/*" } },
      { name: "fails", uses: "codecov/codecov-action@v5", with: { exclude: "out/*", fail_ci_if_error: "true" } },
    ],
    { runId: "32" },
  );
  match(logOf(record, "none"), /##\[warning\]Coverage was not kept: No coverage reports were found/);
  match(
    logOf(record, "named"),
    /##\[warning\]There is no file "out\/missing\.xml"\nFound out\/other\.txt \(lcov, 1 files\)\n.*\nNothing is kept: dry_run is set$/,
  );
  match(logOf(record, "excluded"), /##\[warning\]Coverage was not kept/);
  deepEqual(record.completed?.steps.find(({ name }) => name === "fails")?.conclusion, "failure");
  deepEqual((await jobs.artifacts.reports.coverage("32")).uploads, []);
});

const sarif = {
  version: "2.1.0",
  runs: [
    {
      tool: { driver: { name: "Scan", rules: [{ id: "S1", helpUri: "https://example.com/s1" }] } },
      results: [
        { ruleId: "S1", level: "note", message: { text: "hint" } },
        {
          ruleId: "S1",
          level: "error",
          message: { text: "bad call" },
          locations: [
            { physicalLocation: { artifactLocation: { uri: "file://ROOT/src/a.js" }, region: { startLine: 4 } } },
          ],
        },
      ],
    },
  ],
};

test("a SARIF report becomes findings of the run and annotations of the job, its paths those of the repository", async () => {
  const record = await jobs.run(
    [
      { run: `mkdir r; cat > r/one.sarif <<'END'\n${JSON.stringify(sarif)}\nEND\nsed -i "s|ROOT|$PWD|" r/one.sarif` },
      {
        id: "up",
        name: "up",
        uses: "github/codeql-action/upload-sarif@v3",
        with: { sarif_file: "r", category: "mine" },
      },
      { name: "look", run: 'echo "id=${{ steps.up.outputs.sarif-id }}"' },
      { run: "echo nothing > r/two.sarif" },
      { name: "broken", uses: "github/codeql-action/upload-sarif@v3", with: { sarif_file: "r/two.sarif" } },
    ],
    { runId: "33", name: "scan" },
  );
  match(logOf(record, "look"), /id=\d+$/, wholeLog(record));
  const { items, uploads } = await jobs.artifacts.reports.findings("33");
  deepEqual(items, [
    {
      tool: "Scan",
      rule: "S1",
      level: "error",
      message: "bad call",
      path: "src/a.js",
      line: 4,
      help: "https://example.com/s1",
    },
    { tool: "Scan", rule: "S1", level: "note", message: "hint", help: "https://example.com/s1" },
  ]);
  deepEqual(
    uploads.map(({ job, name, results }) => [job, name, results]),
    [["scan", "mine", 2]],
  );
  const kept = JSON.stringify(await jobs.artifacts.reports.sarif("33", uploads[0]?.id ?? 0));
  ok(kept.includes('"uri":"src/a.js"'), kept);
  deepEqual(
    record.completed?.annotations
      ?.slice(0, 2)
      .map(({ level, path, startLine, title }) => [level, path, startLine, title]),
    [
      ["error", "src/a.js", 4, "Scan: S1"],
      ["notice", undefined, undefined, "Scan: S1"],
    ],
  );
  match(logOf(record, "broken"), /##\[error\]Invalid SARIF\. JSON syntax error/);
});

test("the analysis of CodeQL is refused with what to do instead", async () => {
  const record = await jobs.run([{ name: "codeql", uses: "github/codeql-action/analyze@v3" }]);
  match(
    logOf(record, "codeql"),
    /##\[error\]github\/codeql-action\/analyze needs the CodeQL bundle, which is not on this runner: remove the step, or run a scanner/,
  );
});

test("reports need the token of a running job, and reports that are none are refused", async () => {
  const post = async (path: string, body: object, token = "nobody") =>
    await fetch(`${jobs.url}/_apis/tidegate/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  equal((await post("coverage", {})).status, 403);
  const token = await jobs.artifacts.tokens.sign(
    { repository: "acme/shop", runId: "34", jobId: "j", attempt: 1, scopes: [] },
    60_000,
  );
  for (const report of ["", "bm90IGd6aXA=", Buffer.from("H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==").toString()]) {
    equal((await post("coverage", { job: "j", report }, token)).status, 400, report);
    equal((await post("findings", { job: "j", report }, token)).status, 400, report);
  }
});
