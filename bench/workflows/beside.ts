/** What is measured beside the cases: a shell alone, a push alone, and how soon a line is seen. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "#lib";
import type { Tidegate } from "../../test/support/start-tidegate.ts";
import { newRepository, workCopy } from "../../test/support/work-copy.ts";

const { signal: never } = new AbortController();

/** The median of starting `bash -e` with a script that echoes, as the runner starts programs, and waiting for it. */
export async function bareShellMs(env: Readonly<Record<string, string>>): Promise<number> {
  const script = join(env["HOME"] ?? "", "bare.sh");
  await writeFile(script, "echo 1");
  const times: number[] = [];
  for (let round = 0; round < 40; round++) {
    const startedMs = performance.now();
    await runCommand("bash", ["-e", script], { env, signal: never });
    times.push(performance.now() - startedMs);
  }
  return median(times);
}

/** The median of pushing a commit of one file to a bare repository in a folder: no network, no server, nothing started. */
export async function barePushMs(tidegate: Tidegate): Promise<number> {
  const copy = workCopy(tidegate, await mkdtemp(join(tidegate.scratch, "push-")));
  await copy.git(["init", "--quiet", "--initial-branch=main"]);
  const bare = await mkdtemp(join(tidegate.scratch, "bare-"));
  await copy.git(["init", "--quiet", "--bare", bare]);
  const times: number[] = [];
  for (let round = 0; round < 15; round++) {
    await copy.commit(`Round ${round}`, { file: `round ${round}` });
    const startedMs = performance.now();
    await copy.git(["push", "--quiet", bare, "HEAD:main"]);
    times.push(performance.now() - startedMs);
  }
  return median(times);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
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
