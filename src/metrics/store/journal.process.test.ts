import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "#lib";
import { Journal } from "./journal.ts";
import { SeriesStore } from "./series-store.ts";

test("a part that cannot be read costs its samples and nothing else", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-journal-"));
  try {
    const nowMs = 10_000_000;
    // A folder where a file should be; then one line of each kind: right, cut short, and no journal line at all.
    await mkdir(join(folder, "9000000.jsonl"));
    await writeFile(join(folder, "9500000.jsonl"), "null\n");
    const line = { t: 9_900_000, s: [[0, { __name__: "up" }]], v: [[0, "1"]] };
    await writeFile(join(folder, "9900000.jsonl"), `${JSON.stringify(line)}\n{"t":99`);
    const store = new SeriesStore({ retentionMs: 3_600_000 });
    await using _journal = await Journal.open({ folder, retentionMs: 3_600_000, log: silentLog }, store, nowMs);
    assert.deepEqual(
      store.select([]).found.map(({ labels, samples }) => [labels, samples.length]),
      [[{ __name__: "up" }, 1]],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
