/** Jobs that are needed exist, some job needs none, and no job needs itself by any way. */
import type { Job } from "./model.ts";
import type { NodeReader } from "./node-reader.ts";
import type { YamlNode, YamlPair } from "./yaml-tree.ts";

export function checkGraph(
  reader: NodeReader,
  jobs: readonly Job[],
  pairs: readonly YamlPair[],
  node: YamlNode | undefined,
): void {
  const byKey = new Map(jobs.map((job) => [job.key.toLowerCase(), job]));
  const known = jobs.every((job) => job.needs.every((need) => byKey.has(need.toLowerCase())));
  if (node?.kind === "mapping" && known && !jobs.some((job) => job.needs.length === 0)) {
    reader.error(node, "No job can begin: each needs another one. Let at least one job need none", "jobs");
  }
  for (const [index, job] of jobs.entries()) {
    const needs = reader.get(pairs[index]?.value, "needs");
    for (const item of needs?.kind === "sequence" ? needs.items : needs === undefined ? [] : [needs]) {
      checkNeed(reader, job, item, byKey, jobs);
    }
  }
}

function checkNeed(
  reader: NodeReader,
  job: Job,
  node: YamlNode,
  byKey: ReadonlyMap<string, Job>,
  jobs: readonly Job[],
): void {
  const need = reader.name(node);
  if (need === undefined) return;
  const needed = byKey.get(need.toLowerCase());
  if (needed === undefined) {
    const names = jobs.map((other) => other.key).join(", ");
    reader.error(node, `Job "${job.key}" needs "${need}", which is not a job. Jobs are ${names}`, "needs");
  } else if (leadsTo(needed, job, byKey)) {
    reader.error(node, `Job "${job.key}" needs itself by way of "${need}". Break the circle`, "needs");
  }
}

/** Whether `from` is the job, or needs it however indirectly. */
function leadsTo(from: Job, job: Job, byKey: ReadonlyMap<string, Job>): boolean {
  const seen = new Set<string>();
  const open = [from.key];
  for (let key = open.pop()?.toLowerCase(); key !== undefined; key = open.pop()?.toLowerCase()) {
    if (key === job.key.toLowerCase()) return true;
    if (seen.has(key)) continue;
    seen.add(key);
    open.push(...(byKey.get(key)?.needs ?? []));
  }
  return false;
}
