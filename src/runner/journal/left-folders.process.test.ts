import { deepEqual } from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createLog, systemClock } from "#lib";
import { LeftFolders } from "./left-folders.ts";

test("folders of jobs are removed once no more of them come, and at once when the runner stops", async () => {
  const place = await mkdtemp(join(tmpdir(), "tidegate-left-"));
  const make = async (name: string): Promise<string> => {
    const folder = join(place, name);
    await mkdir(join(folder, "deep", "er"), { recursive: true });
    await writeFile(join(folder, "deep", "er", "-file"), "");
    return folder;
  };
  {
    await using left = new LeftFolders(
      systemClock,
      createLog(() => {}),
    );
    left.add(await make("one"));
    left.add(await make("two"));
    deepEqual((await readdir(place)).toSorted(), ["one", "two"], "nobody waits for it");
    while ((await readdir(place)).length > 0) await systemClock.sleep(10, new AbortController().signal);
    left.add(await make("three"));
    deepEqual(await readdir(place), ["three"]);
  }
  deepEqual(await readdir(place), []);
  await rm(place, { recursive: true });
});
