import { type EngineClient, isEngineStatus } from "#engine";
import type { Clock } from "#lib";
import type { ContainerUsage } from "../pod-runtime.ts";
import type { KnownContainer } from "./container-table.ts";
import type { EngineStats } from "./engine-types.ts";

/** What a container has used; undefined when it ended meanwhile. */
export async function containerUsage(
  engine: EngineClient,
  container: KnownContainer,
  clock: Clock,
  signal: AbortSignal,
): Promise<ContainerUsage | undefined> {
  const { record, engineId } = container;
  try {
    const query = { stream: false, "one-shot": true };
    const stats = await engine.json<EngineStats>("GET", `/containers/${engineId}/stats`, { query, signal });
    const cpuMs = (stats.cpu_stats?.cpu_usage?.total_usage ?? 0) / 1_000_000;
    const { id, pod, name, state } = record;
    return { id, pod, name, at: clock.now(), startedAt: state.startedAt, cpuMs, memoryBytes: workingSet(stats) };
  } catch (error) {
    if (isEngineStatus(error, 404, 409, 500)) return undefined;
    throw error;
  }
}

/** As kubelet counts it: without file pages that the kernel can take back at once. */
export function workingSet({ memory_stats: memory }: EngineStats): number {
  const inactive = memory?.stats?.["inactive_file"] ?? memory?.stats?.["total_inactive_file"] ?? 0;
  return Math.max(0, (memory?.usage ?? 0) - inactive);
}
