/** `actions/upload-artifact`, its merge, and `actions/download-artifact`, against the real service. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { logOf, startBuiltInJobs, wholeLog, type BuiltInJobs } from "../../support/built-in-jobs.ts";

let jobs: BuiltInJobs;
const asked: string[] = [];
before(async () => {
  jobs = await startBuiltInJobs({
    /** The part of the REST API by which artifacts of other runs are found. */
    async routes(app, artifacts) {
      await Promise.resolve();
      app.get<{ Params: { run: string }; Querystring: { name?: string } }>(
        "/api/v3/repos/acme/other/actions/runs/:run/artifacts",
        async ({ params, query, headers }) => {
          asked.push(headers.authorization ?? "");
          const all = await artifacts.artifacts.list(params.run);
          const items = all.filter(({ name }) => query.name === undefined || query.name === name);
          const views = items.map(({ id, name, sizeInBytes, digest }) => ({
            id,
            name,
            size_in_bytes: sizeInBytes,
            digest,
          }));
          return { total_count: views.length, artifacts: views };
        },
      );
      app.get<{ Params: { id: string } }>(
        "/api/v3/repos/acme/other/actions/artifacts/:id/zip",
        async ({ params }, reply) => {
          const found = await artifacts.artifacts.get(Number(params.id));
          const path = artifacts.urls.pathFor(
            { id: found?.blob ?? "", access: "read" },
            { contentType: "application/zip" },
          );
          return await reply.redirect(path, 302);
        },
      );
    },
  });
});
after(async () => await jobs[Symbol.asyncDispose]());

const make = {
  name: "make",
  run: "mkdir -p out/sub/.git other; echo a > out/a.txt; echo b > out/sub/b.txt; echo h > out/sub/.hidden; echo g > out/sub/.git/g; echo c > other/c.txt; ln -s a.txt out/link",
};

test("what is uploaded comes back, without hidden files, at the paths that the search paths leave", async () => {
  const record = await jobs.run(
    [
      make,
      { id: "up", uses: "actions/upload-artifact@v4", with: { name: "all", path: "out" } },
      { uses: "actions/upload-artifact@v4", with: { name: "single", path: "out/sub/b.txt" } },
      {
        uses: "actions/upload-artifact@v4",
        with: { name: "lca", path: "out/**/*.txt\nother\n!**/a.txt", "compression-level": "0" },
      },
      { uses: "actions/upload-artifact@v4", with: { name: "hidden", path: "out/sub", "include-hidden-files": "true" } },
      {
        name: "outputs",
        run: 'echo "${{ steps.up.outputs.artifact-id }} ${{ steps.up.outputs.artifact-digest }} ${{ steps.up.outputs.artifact-url }}"',
      },
      { id: "one", uses: "actions/download-artifact@v4", with: { name: "all", path: "got/one" } },
      { uses: "actions/download-artifact@v4", with: { path: "got/each" } },
      {
        uses: "actions/download-artifact@v4",
        with: { path: "got/merged", pattern: "{single,lca}", "merge-multiple": "true" },
      },
      {
        name: "look",
        run: 'cd got; find . -type f | sort; cat one/link; echo "${{ steps.one.outputs.download-path }}"',
      },
    ],
    { runId: "11" },
  );
  equal(record.completed?.conclusion, "success", wholeLog(record));
  deepEqual(logOf(record, "look").split("\n").slice(-17, -1), [
    "./each/all/a.txt",
    "./each/all/link",
    "./each/all/sub/b.txt",
    "./each/hidden/.git/g",
    "./each/hidden/.hidden",
    "./each/hidden/b.txt",
    "./each/lca/other/c.txt",
    "./each/lca/out/sub/b.txt",
    "./each/single/b.txt",
    "./merged/b.txt",
    "./merged/other/c.txt",
    "./merged/out/sub/b.txt",
    "./one/a.txt",
    "./one/link",
    "./one/sub/b.txt",
    "a",
  ]);
  match(logOf(record, "look"), /\/shop\/shop\/got\/one$/);
  match(
    logOf(record, "outputs"),
    /\n\d+ [0-9a-f]{64} http:\/\/127\.0\.0\.1:\d+\/acme\/shop\/actions\/runs\/11\/artifacts\/\d+$/,
  );
  const log =
    [...record.logs.values()]
      .map((lines) => lines.map(({ text }) => text).join("\n"))
      .find((text) => text.includes("lca has been")) ?? "";
  match(log, /The least common ancestor is \S+\/shop\/shop\. This will be the root directory of the artifact/);
});

test("a name that is there is refused, then overwritten; nothing found warns, or fails, as it was asked", async () => {
  const record = await jobs.run(
    [
      make,
      { uses: "actions/upload-artifact@v4", with: { path: "out" } },
      { name: "over", uses: "actions/upload-artifact@v4", with: { path: "other", overwrite: "true" } },
      { uses: "actions/download-artifact@v4", with: { path: "got/v4" } },
      { uses: "actions/download-artifact@v5", with: { path: "got/v5" } },
      { name: "look", run: "cd got && find . -type f | sort" },
      { name: "none", uses: "actions/upload-artifact@v4", with: { path: "nowhere/*.x" } },
      { name: "twice", uses: "actions/upload-artifact@v4", with: { path: "out" }, continueOnError: true },
      { name: "fails", uses: "actions/upload-artifact@v4", with: { path: "nowhere", "if-no-files-found": "error" } },
    ],
    { runId: "12" },
  );
  match(logOf(record, "over"), /Artifact 'artifact' \(ID: \d+\) deleted/);
  // The only one is put into its folder by version 4, and straight to the path from version 5 on.
  match(logOf(record, "look"), /\n\.\/v4\/artifact\/c\.txt\n\.\/v5\/c\.txt$/);
  match(
    logOf(record, "none"),
    /##\[warning\]No files were found with the provided path: nowhere\/\*\.x\. No artifacts will be uploaded\.$/,
  );
  match(logOf(record, "twice"), /##\[error\]Cannot create artifact "artifact": this run has one of that name/);
  match(logOf(record, "fails"), /##\[error\]No files were found with the provided path: nowhere\./);
  equal(record.completed?.conclusion, "failure");
});

test("several are merged into one, in folders of their own, and are gone afterwards", async () => {
  const record = await jobs.run(
    [
      make,
      { uses: "actions/upload-artifact@v4", with: { name: "part-1", path: "out/a.txt" } },
      { uses: "actions/upload-artifact@v4", with: { name: "part-2", path: "other/c.txt" } },
      {
        uses: "actions/upload-artifact/merge@v4",
        with: { name: "whole", pattern: "part-*", "separate-directories": "true", "delete-merged": "true" },
      },
      { uses: "actions/download-artifact@v5", with: { path: "got" } },
      { name: "look", run: "cd got && find . -type f | sort" },
    ],
    { runId: "13" },
  );
  equal(record.completed?.conclusion, "success", wholeLog(record));
  match(logOf(record, "look"), /\n\.\/part-1\/a\.txt\n\.\/part-2\/c\.txt$/);
  deepEqual(
    (await jobs.artifacts.artifacts.list("13")).map(({ name }) => name),
    ["whole"],
  );
});

test("a file is uploaded as it is, and keeps its name; an archive may be kept packed", async () => {
  const record = await jobs.run(
    [
      make,
      { uses: "actions/upload-artifact@v7", with: { path: "out/a.txt", archive: "false" } },
      { uses: "actions/upload-artifact@v7", with: { name: "zipped", path: "other" } },
      { uses: "actions/download-artifact@v8", with: { name: "a.txt", path: "got" } },
      { uses: "actions/download-artifact@v8", with: { name: "zipped", path: "got", "skip-decompress": "true" } },
      { name: "look", run: "cd got && cat a.txt && stat -c '%a %n' * && head -c 2 zipped.zip" },
      { name: "early", uses: "actions/upload-artifact@v6", with: { name: "early", path: "other", archive: "false" } },
      { uses: "actions/download-artifact@v7", with: { name: "early", path: "early" } },
      { name: "unpacked", run: "ls early" },
    ],
    { runId: "14" },
  );
  match(logOf(record, "look"), /\na\n644 a\.txt\n644 zipped\.zip\nPK$/, wholeLog(record));
  match(logOf(record, "early"), /##\[warning\]Unexpected input\(s\) 'archive', valid inputs are \['name', 'path',/);
  match(logOf(record, "unpacked"), /\nc\.txt$/);
});

test("artifacts of another run are fetched with a token, by name, by id and by pattern", async () => {
  const steps = [make, { id: "up", uses: "actions/upload-artifact@v4", with: { name: "far", path: "out" } }];
  await jobs.run([...steps, { uses: "actions/upload-artifact@v4", with: { name: "near", path: "other" } }], {
    runId: "21",
  });
  const [near, far] = await jobs.artifacts.artifacts.list("21");
  const other = { "github-token": "tok-1234567890", repository: "acme/other", "run-id": "21" };
  const record = await jobs.run(
    [
      { uses: "actions/download-artifact@v4", with: { ...other, name: "far", path: "named" } },
      {
        name: "ids",
        uses: "actions/download-artifact@v5",
        with: { ...other, "artifact-ids": `${near?.id}, 999999`, path: "ids" },
      },
      { uses: "actions/download-artifact@v4", with: { ...other, pattern: "*ar", path: "all" } },
      { name: "look", run: "find named ids all -type f | sort" },
      { name: "missing", uses: "actions/download-artifact@v4", with: { ...other, name: "nope" } },
    ],
    { runId: "22" },
  );
  ok(far !== undefined);
  match(
    logOf(record, "look"),
    /\nall\/far\/a\.txt\nall\/far\/link\nall\/far\/sub\/b\.txt\nall\/near\/c\.txt\nids\/c\.txt\nnamed\/a\.txt\nnamed\/link\nnamed\/sub\/b\.txt$/,
    wholeLog(record),
  );
  match(logOf(record, "ids"), /##\[warning\]Could not find the following artifact IDs: 999999/);
  match(logOf(record, "missing"), /##\[error\]Unable to download artifact\(s\): Artifact not found for name: nope/);
  ok(asked.every((authorization) => authorization === "token tok-1234567890"));
});

test("names and paths that some file systems refuse are refused before anything is sent", async () => {
  const record = await jobs.run(
    [
      { run: "mkdir out; echo x > 'out/a:b'" },
      { name: "path", uses: "actions/upload-artifact@v4", with: { path: "out" }, continueOnError: true },
      { name: "name", uses: "actions/upload-artifact@v4", with: { name: "a/b", path: "out" } },
    ],
    { runId: "23" },
  );
  match(
    logOf(record, "path"),
    /The path for one of the files in artifact is not valid: a:b\. Contains the following character: Colon :/,
  );
  match(
    logOf(record, "name"),
    /The artifact name is not valid: a\/b\. Contains the following character: Forward slash \//,
  );
  deepEqual(await jobs.artifacts.artifacts.list("23"), []);
});
