import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { systemClock } from "#lib";
import { ObjectStore } from "./object-store.ts";

/** Given as argument, this file is not the test but the child that it kills. */
const writerArgument = "write-until-killed";

/** Writes objects for ever and says after each one what was acknowledged. */
function writeForEver(file: string): never {
  const store = new ObjectStore({
    file,
    clock: systemClock,
    retention: { entries: 64, ageMs: 3_600_000 },
  });
  for (let i = 0; ; i++) {
    const key = { resource: "things", namespace: "n", name: `o${i % 50}` };
    const metadata = { name: key.name, namespace: "n" };
    const stored =
      i % 7 === 6
        ? store.remove(key)
        : store.put(key, { apiVersion: "v1", kind: "Thing", metadata, value: i, padding: "x".repeat(i % 4000) });
    if (stored !== undefined)
      writeSync(1, `${stored.metadata.resourceVersion} ${i % 7 === 6 ? "gone" : i} ${key.name}\n`);
  }
}

if (process.argv[2] === writerArgument) writeForEver(process.argv[3] ?? "");

async function temporaryFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-store-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "objects.db");
}

/** Lets a child write until it has acknowledged `lines` writes, kills it, and returns all it acknowledged. */
async function writeUntilKilled(file: string, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [import.meta.filename, writerArgument, file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(line);
    if (acknowledged.length === lines) child.kill("SIGKILL");
  }
  return acknowledged;
}

test("whatever was acknowledged is there after kill -9, and revisions go on from it", async (t) => {
  const file = await temporaryFile(t);
  let last = 0;
  for (const lines of [1, 40, 700]) {
    const acknowledged = await writeUntilKilled(file, lines);
    assert.ok(acknowledged.length >= lines);
    using store = new ObjectStore({ file, clock: systemClock });
    const latest = new Map<string, { revision: number; value: string }>();
    for (const line of acknowledged) {
      const [revision = "", value = "", name = ""] = line.split(" ");
      latest.set(name, { revision: Number(revision), value });
    }
    const newest = Number(acknowledged.at(-1)?.split(" ")[0]);
    assert.ok(newest > last, "revisions never go back over a restart");
    assert.ok(store.revision >= newest, "the store is at least at the last acknowledged revision");
    // The child may have been killed after a commit and before it could say so: at most that one is ahead.
    assert.ok(store.revision <= newest + 1);
    for (const [name, { revision, value }] of latest) {
      const object = store.get({ resource: "things", namespace: "n", name });
      const touchedUnsaid = store.revision > newest && revision < store.revision;
      if (object === undefined) assert.ok(value === "gone" || touchedUnsaid);
      else if (Number(object.metadata.resourceVersion) === revision) assert.equal(String(object["value"]), value);
      else assert.equal(Number(object.metadata.resourceVersion), store.revision);
    }
    const changes = store.changesAfter("things", store.compacted);
    const revisions = changes.map(({ revision }) => revision);
    const dense = Array.from({ length: revisions.length }, (_, index) => store.compacted + 1 + index);
    assert.deepEqual(revisions, dense, "the log has no gap");
    last = store.revision;
  }
});

test("a second store on the same file is refused while the first is open", async (t) => {
  const file = await temporaryFile(t);
  using first = new ObjectStore({ file, clock: systemClock });
  first.put({ resource: "as", namespace: "", name: "a" }, { apiVersion: "v1", kind: "A", metadata: { name: "a" } });
  assert.throws(() => new ObjectStore({ file, clock: systemClock }), /locked/);
});
