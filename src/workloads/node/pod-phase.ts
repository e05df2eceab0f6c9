/** A pod's phase from the statuses of its containers: pure, by kubelet's counting. */
import type { ContainerStatus, Pod, PodPhase } from "#api";
import { isSidecar } from "./init-progress.ts";

export interface PhaseInput {
  readonly pod: Pod;
  readonly containers: readonly ContainerStatus[];
  readonly inits: readonly ContainerStatus[];
  /** Nothing of it will run again. */
  readonly isTerminal: boolean;
}

export function podPhase({ pod, containers, inits, isTerminal }: PhaseInput): PodPhase {
  const known = pod.status?.phase;
  if (known === "Succeeded" || known === "Failed") return known;
  const policy = pod.spec.restartPolicy ?? "Always";
  const byName = new Map(inits.map((status) => [status.name, status]));
  const init = (pod.spec.initContainers ?? []).map((container) => ({ container, status: byName.get(container.name) }));
  const regular = init.filter(({ container }) => !isSidecar(container)).map(({ status }) => standingOf(status));
  const sidecars = init.filter(({ container }) => isSidecar(container)).map(({ status }) => status);
  const main = containers.map(standingOf);
  if (regular.includes("failed") && policy === "Never" && sidecars.every((status) => !isRunning(status)))
    return "Failed";
  const ran = main.some((standing) => standing !== "waiting");
  if (!ran && (regular.some(isUnfinished) || sidecars.some((status) => status?.started !== true))) return "Pending";
  if (main.includes("waiting")) return "Pending";
  if (main.includes("running") || sidecars.some(isRunning)) return "Running";
  if (policy === "Always" && !isTerminal) return "Running";
  if (main.every((standing) => standing === "succeeded")) return "Succeeded";
  return policy === "Never" || isTerminal ? "Failed" : "Running";
}

type Standing = "waiting" | "running" | "succeeded" | "failed";

/** One in back-off counts as what it was before: it has run. */
function standingOf(status: ContainerStatus | undefined): Standing {
  if (status?.state?.running !== undefined) return "running";
  const ended = status?.state?.terminated;
  if (ended !== undefined) return ended.exitCode === 0 ? "succeeded" : "failed";
  return status?.lastState?.terminated === undefined ? "waiting" : "failed";
}

function isUnfinished(standing: Standing): boolean {
  return standing !== "succeeded";
}

function isRunning(status: ContainerStatus | undefined): boolean {
  return status?.state?.running !== undefined;
}
