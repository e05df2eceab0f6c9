import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { silentLog } from "#lib";
import { keepLog } from "./supervisor.ts";

test("a child whose log cannot be written is read on and ends by itself", async () => {
  const folder = await mkdtemp(`${tmpdir()}/tidegate-log-`);
  try {
    // Far more than a pipe holds, into a file that cannot be opened: it is a folder.
    const child = spawn(process.execPath, ["-e", "process.stdout.write('x'.repeat(4_000_000))"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    keepLog(child.stdout, folder, silentLog);
    const [code] = (await once(child, "exit")) as [number | null];
    assert.equal(code, 0);
  } finally {
    await rm(folder, { recursive: true });
  }
});
