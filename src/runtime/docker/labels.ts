/** What stands on the engine's objects, so that whoever comes after a crash knows whose they are. */
import { isObject } from "#lib";
import type { ContainerRecord, ContainerSpec, PodIdentity } from "../pod-runtime.ts";
import { containerIdOf } from "../pod-runtime.ts";
import type { EngineContainer } from "./engine-types.ts";

const prefix = "tidegate.dev/";
/** Several installations may share an engine; each sees its own only. */
export const installationLabel = `${prefix}installation`;
const roleLabel = `${prefix}role`;

type Role = "sandbox" | "container";

function podLabels(installation: string, role: Role, pod: PodIdentity): Record<string, string> {
  return {
    [installationLabel]: installation,
    [roleLabel]: role,
    [`${prefix}pod-uid`]: pod.uid,
    [`${prefix}pod-namespace`]: pod.namespace,
    [`${prefix}pod-name`]: pod.name,
  };
}

export function sandboxLabels(installation: string, pod: PodIdentity): Record<string, string> {
  return podLabels(installation, "sandbox", pod);
}

export function containerLabels(installation: string, spec: ContainerSpec): Record<string, string> {
  return {
    ...podLabels(installation, "container", spec.pod),
    [`${prefix}container`]: spec.name,
    [`${prefix}attempt`]: String(spec.attempt),
    [`${prefix}image`]: spec.image.reference,
    [`${prefix}image-digest`]: spec.image.digest,
    [`${prefix}labels`]: JSON.stringify(spec.labels),
  };
}

/** Undefined for what is no container of a pod, and for one that was made and never started. */
export function recordOf(container: EngineContainer): ContainerRecord | undefined {
  const labels = container.Config.Labels ?? {};
  const at = (name: string): string => labels[prefix + name] ?? "";
  const state = stateOf(container);
  if (labels[roleLabel] !== "container" || state === undefined) return undefined;
  const pod = { uid: at("pod-uid"), namespace: at("pod-namespace"), name: at("pod-name") };
  const [name, attempt] = [at("container"), Number(at("attempt"))];
  return {
    id: containerIdOf(pod.uid, name, attempt),
    pod,
    name,
    attempt,
    image: { reference: at("image"), digest: at("image-digest") },
    labels: parsedLabels(at("labels")),
    state,
  };
}

function parsedLabels(text: string): Record<string, string> {
  const value: unknown = text === "" ? {} : JSON.parse(text);
  return isObject(value) ? (value as Record<string, string>) : {};
}

/** The engine's zero time, `0001-01-01T00:00:00Z`, stands for never. */
function stateOf({ State }: EngineContainer): ContainerRecord["state"] | undefined {
  const startedAt = instantOf(State.StartedAt);
  if (startedAt === undefined) return undefined;
  // Podman starts in a state of its own, `initialized`, and lingers in `stopping`.
  if (State.Running || State.Status === "stopping" || State.Status === "paused") return { kind: "running", startedAt };
  if (State.Status === "created" || State.Status === "configured" || State.Status === "initialized") return undefined;
  return {
    kind: "exited",
    // An engine that lost its container (a machine that went down) says -1 or 255.
    exitCode: State.ExitCode >= 0 && State.ExitCode <= 255 ? State.ExitCode : 137,
    startedAt,
    finishedAt: instantOf(State.FinishedAt) ?? startedAt,
    ...(State.OOMKilled === true ? { oomKilled: true } : {}),
    witnessed: State.ExitCode >= 0,
  };
}

function instantOf(text: string): Temporal.Instant | undefined {
  if (text === "" || text.startsWith("0001-")) return undefined;
  return Temporal.Instant.from(text);
}
