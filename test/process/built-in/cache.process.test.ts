/** `actions/cache` and its halves, against the real service. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { logOf, startBuiltInJobs, wholeLog, type BuiltInJobs } from "../../support/built-in-jobs.ts";

let jobs: BuiltInJobs;
before(async () => void (jobs = await startBuiltInJobs()));
after(async () => await jobs[Symbol.asyncDispose]());

const save = {
  uses: "actions/cache@v4",
  id: "c",
  with: { path: "deps\n!deps/tmp\n~/.tool/**/*.bin", key: "deps-1", "restore-keys": "deps-" },
};

test("what a job saved at its end, the next has at its start, links, modes and the home folder included", async () => {
  const first = await jobs.run([
    save,
    {
      name: "make",
      run: [
        'test "${{ steps.c.outputs.cache-hit }}" = ""',
        "mkdir -p deps/tmp deps/.hidden ~/.tool/a; echo one > deps/one; echo h > deps/.hidden/h; echo t > deps/tmp/t",
        "chmod 750 deps/one; ln -s one deps/link; echo bin > ~/.tool/a/x.bin; echo no > ~/.tool/a/x.txt",
      ].join("\n"),
    },
  ]);
  equal(first.completed?.conclusion, "success", wholeLog(first));
  match(logOf(first, "Run actions/cache@v4"), /Cache not found for input keys: deps-1, deps-$/);
  match(logOf(first, "Post Run actions/cache@v4"), /Cache saved with key: deps-1$/);

  const second = await jobs.run([
    save,
    {
      name: "look",
      run: [
        'echo "hit=${{ steps.c.outputs.cache-hit }}"; cat deps/link deps/.hidden/h; stat -c %a deps/one',
        "cat ~/.tool/a/x.bin; ls ~/.tool/a",
      ].join("\n"),
    },
  ]);
  equal(second.completed?.conclusion, "success", wholeLog(second));
  match(logOf(second, "look"), /hit=true\none\nh\n750\nbin\nx\.bin/);
  match(
    logOf(second, "Run actions/cache@v4"),
    /Cache hit for: deps-1\n[^]*Cache restored successfully\nCache restored from key: deps-1$/,
  );
  match(
    logOf(second, "Post Run actions/cache@v4"),
    /Cache hit occurred on the primary key deps-1, not saving cache\.$/,
  );
});

test("a prefix restores the newest, says no exact hit, and the new key is saved when the job succeeds only", async () => {
  const again = { ...save, with: { ...save.with, key: "deps-2" } };
  const failing = await jobs.run([again, { run: "exit 1" }]);
  equal(failing.completed?.steps.at(-2)?.conclusion, "skipped", "the post step runs if success()");
  const record = await jobs.run([
    again,
    { name: "look", run: 'echo "hit=${{ steps.c.outputs.cache-hit }}"; cat deps/one' },
  ]);
  match(logOf(record, "look"), /hit=false\none$/);
  match(logOf(record, "Run actions/cache@v4"), /Cache hit for restore-key: deps-1/);
  match(logOf(record, "Post Run actions/cache@v4"), /Cache saved with key: deps-2$/);
});

test("the halves name the keys, look without bringing, and fail on a miss when they are told to", async () => {
  const path = "half";
  const record = await jobs.run([
    { run: "mkdir half; echo x > half/x" },
    { uses: "actions/cache/save@v4", with: { path, key: "half-1" } },
    { name: "twice", uses: "actions/cache/save@v4", with: { path, key: "half-1" } },
    { run: "rm -r half" },
    { uses: "actions/cache/restore@v4", id: "look", with: { path, key: "half-1", "lookup-only": "true" } },
    { name: "absent", run: "test ! -e half" },
    { uses: "actions/cache/restore@v4", id: "found", with: { path, key: "half-9", "restore-keys": "half-" } },
    {
      name: "outputs",
      run: "echo '${{ toJSON(steps.look.outputs) }}' '${{ toJSON(steps.found.outputs) }}'; cat half/x",
    },
    { name: "miss", uses: "actions/cache/restore@v4", with: { path, key: "none", "fail-on-cache-miss": "true" } },
  ]);
  match(
    logOf(record, "twice"),
    /Unable to reserve cache with key half-1, another job may be creating this cache\.\n##\[warning\]Cache save failed\.$/,
  );
  equal(record.completed?.steps.find(({ name }) => name === "absent")?.conclusion, "success");
  const outputs = logOf(record, "outputs").replaceAll(/\s/g, "");
  ok(outputs.includes('{"cache-primary-key":"half-1","cache-matched-key":"half-1","cache-hit":"true"}'), outputs);
  ok(outputs.includes('{"cache-primary-key":"half-9","cache-matched-key":"half-1","cache-hit":"false"}x'), outputs);
  match(
    logOf(record, "miss"),
    /##\[error\]Failed to restore cache entry\. Exiting as fail-on-cache-miss is set\. Input key: none$/,
  );
  equal(record.completed?.conclusion, "failure");
});

test("nothing to save, and keys that cannot be: said as the official action says it", async () => {
  const record = await jobs.run([
    { name: "nothing", uses: "actions/cache/save@v4", with: { path: "not-there", key: "n-1" } },
    { name: "comma", uses: "actions/cache/restore@v4", with: { path: "x", key: "a,b" } },
  ]);
  match(
    logOf(record, "nothing"),
    /\[warning\]Path Validation Error: Path\(s\) specified in the action for caching do\(es\) not exist/,
  );
  match(logOf(record, "comma"), /##\[error\]Key Validation Error: a,b cannot contain commas\.$/);
  deepEqual(
    record.completed?.steps.slice(1, 3).map(({ conclusion }) => conclusion),
    ["success", "failure"],
  );
});
