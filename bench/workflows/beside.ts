/** What is measured beside the cases: a shell alone, and how soon a line is seen. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tidegate } from "../../test/support/start-tidegate.ts";
import { newRepository } from "../../test/support/work-copy.ts";

/** The median of starting `bash -e` with a script that echoes, and waiting for it. */
export async function bareShellMs(env: Readonly<Record<string, string>>): Promise<number> {
  const script = join(env["HOME"] ?? "", "bare.sh");
  await writeFile(script, "echo 1");
  const times: number[] = [];
  for (let round = 0; round < 40; round++) {
    const startedMs = performance.now();
    const child = spawn("bash", ["-e", script], { env: { ...env }, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.resume();
    child.stderr.resume();
    await once(child, "close");
    times.push(performance.now() - startedMs);
  }
  return times.toSorted((a, b) => a - b)[20] ?? Number.NaN;
}

/** How long each of some lines, which hold the time at which they were written, takes to a watcher. */
export async function watchedLineMs(tidegate: Tidegate): Promise<readonly number[]> {
  const copy = await newRepository(tidegate, "bench/watched");
  const steps = `      - run: for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; echo "at $(date +%s%3N)"; done\n`;
  const text = `on: push\njobs:\n  talk:\n    runs-on: ubuntu-latest\n    steps:\n${steps}`;
  await copy.push("Talk", { ".github/workflows/talk.yml": text });
  const { items } = await tidegate.api<{ items: { id: string }[] }>("/runs?repository=bench/watched&limit=1");
  const run = await tidegate.api<{ jobs: { id: string }[] }>(`/runs/${items[0]?.id ?? ""}`);
  const response = await fetch(`${tidegate.url}/api/tidegate/v1/jobs/${run.jobs[0]?.id ?? ""}/log?follow=1`, {
    headers: { authorization: `Bearer ${tidegate.adminToken}` },
  });
  const times: number[] = [];
  for await (const chunk of response.body ?? []) {
    const seenMs = performance.timeOrigin + performance.now();
    for (const [, written] of Buffer.from(chunk)
      .toString("utf8")
      .matchAll(/"at (\d+)"/g))
      times.push(seenMs - Number(written));
  }
  return times;
}
