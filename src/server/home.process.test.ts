import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeHome } from "./home.ts";

for (const mode of [0o755, 0o777, 0o700]) {
  test(`a data folder that others made with ${mode.toString(8)} is closed to others`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "tidegate-home-"));
    try {
      await chmod(folder, mode);
      await makeHome(folder);
      assert.equal((await stat(folder)).mode & 0o777, 0o700);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}
