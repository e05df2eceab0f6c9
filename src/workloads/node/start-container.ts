/** Starts one attempt of a container: image, configuration, volumes, process. What goes wrong comes back as data. */
import type { Container, Pod } from "#api";
import { errorMessage } from "#lib";
import type { ContainerRecord, ContainerToStart, PodNetwork } from "../ports.ts";
import { containerEnvironment } from "./container-env.ts";
import { type NodeContext, sourcesOf, tell } from "./node-context.ts";
import { podVolumes } from "./pod-volumes.ts";
import { streakLabel } from "./restart.ts";

export type StartResult =
  | { readonly kind: "started"; readonly record: ContainerRecord }
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly message: string };

type FailureReason = "ErrImagePull" | "CreateContainerConfigError" | "RunContainerError";

export interface StartInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly streak: number;
  readonly network: PodNetwork;
}

export async function startContainer(
  context: NodeContext,
  input: StartInput,
  signal: AbortSignal,
): Promise<StartResult> {
  const { pod, container } = input;
  const say = (type: "Normal" | "Warning", reason: string, message: string): Promise<void> =>
    tell(context, pod, type, reason, message, signal);
  const fail = async (reason: FailureReason, message: string): Promise<StartResult> => {
    if (reason === "ErrImagePull") {
      await say("Warning", "Failed", `Failed to pull image "${container.image}": ${message}`);
      await say("Warning", "Failed", "Error: ErrImagePull");
    } else await say("Warning", "Failed", `Error: ${message}`);
    return { kind: "failed", reason, message };
  };
  let image;
  try {
    image = await pull(context, container, say, signal);
  } catch (error) {
    signal.throwIfAborted();
    return await fail("ErrImagePull", errorMessage(error));
  }
  const prepared = await prepare(context, input, signal);
  if (prepared.kind === "missing") return await fail("CreateContainerConfigError", prepared.message);
  if (prepared.skipped.length > 0) {
    const keys = prepared.skipped.join(", ");
    await say(
      "Warning",
      "InvalidEnvironmentVariableNames",
      `Keys [${keys}] were skipped: no environment variable names`,
    );
  }
  try {
    const record = await context.runtime.startContainer({ ...prepared.start, image }, signal);
    await say("Normal", "Created", `Created container: ${container.name}`);
    await say("Normal", "Started", `Started container ${container.name}`);
    return { kind: "started", record };
  } catch (error) {
    signal.throwIfAborted();
    return await fail("RunContainerError", errorMessage(error));
  }
}

async function pull(
  context: NodeContext,
  container: Container,
  say: (type: "Normal", reason: string, message: string) => Promise<void>,
  signal: AbortSignal,
): Promise<ContainerToStart["image"]> {
  const policy = container.imagePullPolicy ?? "IfNotPresent";
  const beganMs = context.clock.monotonicMs();
  const image = await context.runtime.pull(container.image, { policy, signal });
  const seconds = ((context.clock.monotonicMs() - beganMs) / 1000).toFixed(3);
  if (image.fetched) await say("Normal", "Pulled", `Successfully pulled image "${container.image}" in ${seconds}s`);
  else await say("Normal", "Pulled", `Container image "${container.image}" already present on machine`);
  return image;
}

type Prepared =
  | { readonly kind: "missing"; readonly message: string }
  | { readonly kind: "ready"; readonly start: Omit<ContainerToStart, "image">; readonly skipped: readonly string[] };

async function prepare(context: NodeContext, input: StartInput, signal: AbortSignal): Promise<Prepared> {
  const { pod, container, attempt, streak, network } = input;
  const sources = sourcesOf(context, pod);
  const environment = containerEnvironment(pod, container, sources, network.ip);
  if (environment.kind === "missing") return environment;
  const problem = await writeVolumes(context, pod, signal);
  if (problem !== undefined) return { kind: "missing", message: problem };
  const { env, command, args, skipped } = environment.value;
  const start: Omit<ContainerToStart, "image"> = {
    pod: identityOf(pod),
    name: container.name,
    attempt,
    ...(container.command === undefined ? {} : { command }),
    ...(container.args === undefined ? {} : { args }),
    ...(container.workingDir === undefined ? {} : { workingDir: container.workingDir }),
    env,
    ports: container.ports ?? [],
    network,
    mounts: (container.volumeMounts ?? []).map(({ name, mountPath, subPath }) => ({
      volume: name,
      mountPath,
      ...(subPath === undefined ? {} : { subPath }),
    })),
    labels: { [streakLabel]: String(streak) },
  };
  return { kind: "ready", start, skipped };
}

/** Puts what ConfigMaps and Secrets say now into the pod's volumes; returns what is missing for it. */
export async function writeVolumes(context: NodeContext, pod: Pod, signal: AbortSignal): Promise<string | undefined> {
  for (const volume of podVolumes(pod, sourcesOf(context, pod))) {
    if (volume.kind === "missing") return volume.message;
    await context.runtime.writeVolume(pod.metadata.uid ?? "", volume.value, signal);
  }
  return undefined;
}

export function identityOf(pod: Pod): { uid: string; namespace: string; name: string } {
  const { uid = "", namespace = "", name } = pod.metadata;
  return { uid, namespace, name };
}
