/** Starts one attempt of a container: volumes, image, configuration, process. What goes wrong comes back as data. */
import type { Container, Pod } from "#api";
import { errorMessage } from "#lib";
import type { ContainerRecord, ContainerToStart, PodNetwork } from "../ports.ts";
import { containerEnvironment } from "./container-env.ts";
import { hostIp, type NodeContext, sourcesOf, tell } from "./node-context.ts";
import type { PodPlace } from "./pod-fields.ts";
import { pullImage } from "./pull-image.ts";
import { streakLabel } from "./restart.ts";
import { apiServerVariables, serviceVariables } from "./service-env.ts";
import type { VolumeWriter } from "./volume-writer.ts";

export type StartResult =
  | { readonly kind: "started"; readonly record: ContainerRecord }
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly message: string };

type FailureReason =
  | "FailedMount"
  | "ErrImagePull"
  | "ErrImageNeverPull"
  | "InvalidImageName"
  | "CreateContainerConfigError"
  | "RunContainerError";

export interface StartInput {
  /** As it runs, with what the node adds to it. */
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly streak: number;
  readonly network: PodNetwork;
  readonly volumes: VolumeWriter;
}

export async function startContainer(
  context: NodeContext,
  input: StartInput,
  signal: AbortSignal,
): Promise<StartResult> {
  const { pod, container, volumes, network } = input;
  const say = (type: "Normal" | "Warning", reason: string, message: string): Promise<void> =>
    tell(context, pod, type, reason, message, signal);
  const problem = await volumes.write(pod, placeOf(context, network), signal);
  if (problem !== undefined) {
    const message = `MountVolume.SetUp failed for volume "${problem.name}" : ${problem.message}`;
    await say("Warning", "FailedMount", message);
    return { kind: "failed", reason: "FailedMount", message };
  }
  const pulled = await pullImage(context, pod, container, signal);
  if (pulled.kind === "failed") return pulled;
  const prepared = prepare(context, input);
  if (prepared.kind === "missing") {
    await say("Warning", "Failed", `Error: ${prepared.message}`);
    return { kind: "failed", reason: "CreateContainerConfigError", message: prepared.message };
  }
  if (prepared.skipped.length > 0) {
    const message = `Keys [${prepared.skipped.join(", ")}] were skipped: no environment variable names`;
    await say("Warning", "InvalidEnvironmentVariableNames", message);
  }
  try {
    const record = await context.runtime.startContainer({ ...prepared.start, image: pulled.image }, signal);
    await say("Normal", "Created", `Created container: ${container.name}`);
    await say("Normal", "Started", `Started container ${container.name}`);
    return { kind: "started", record };
  } catch (error) {
    signal.throwIfAborted();
    const message = errorMessage(error);
    await say("Warning", "Failed", `Error: ${message}`);
    return { kind: "failed", reason: "RunContainerError", message };
  }
}

export function placeOf(context: NodeContext, network: PodNetwork | undefined): PodPlace {
  const allocatable = context.nodes.get("", context.nodeName)?.status?.allocatable ?? {};
  return { podIp: network?.ip ?? "", hostIp, allocatable };
}

type Prepared =
  | { readonly kind: "missing"; readonly message: string }
  | { readonly kind: "ready"; readonly start: Omit<ContainerToStart, "image">; readonly skipped: readonly string[] };

function prepare(context: NodeContext, input: StartInput): Prepared {
  const { pod, container, attempt, streak, network } = input;
  const sources = sourcesOf(context, pod);
  const links = linksOf(context, pod);
  const place = placeOf(context, network);
  const environment = containerEnvironment({ pod, container, sources, place, links });
  if (environment.kind === "missing") return environment;
  const { env, command, args, skipped, expand } = environment.value;
  const start: Omit<ContainerToStart, "image"> = {
    pod: identityOf(pod),
    name: container.name,
    attempt,
    ...(container.command === undefined ? {} : { command }),
    ...(container.args === undefined ? {} : { args }),
    ...(container.workingDir === undefined ? {} : { workingDir: container.workingDir }),
    env,
    links,
    ports: container.ports ?? [],
    network,
    mounts: mountsOf(container, expand),
    ...(container.stdin === true ? { stdin: container.stdinOnce === true ? "once" : "kept" } : {}),
    ...(container.tty === true ? { tty: true } : {}),
    labels: { [streakLabel]: String(streak) },
  };
  return { kind: "ready", start, skipped };
}

function mountsOf(container: Container, expand: (text: string) => string): ContainerToStart["mounts"] {
  return (container.volumeMounts ?? []).map(({ name, mountPath, subPath, subPathExpr, readOnly }) => {
    const path = subPathExpr === undefined || subPathExpr === "" ? subPath : expand(subPathExpr);
    return {
      volume: name,
      mountPath,
      ...(path === undefined ? {} : { subPath: path }),
      ...(readOnly === undefined ? {} : { readOnly }),
    };
  });
}

/** The services of its namespace, unless the pod wants none, and the API server always. */
function linksOf({ services, reach }: NodeContext, pod: Pod): Record<string, string> {
  const wanted = pod.spec.enableServiceLinks ?? true;
  const own = wanted ? services.list(pod.metadata.namespace ?? "") : [];
  const api = reach.apiServer();
  return {
    ...serviceVariables(own, (service, port) => reach.service(service, port)),
    ...(api === undefined ? {} : apiServerVariables(api)),
  };
}

export function identityOf(pod: Pod): { uid: string; namespace: string; name: string } {
  const { uid = "", namespace = "", name } = pod.metadata;
  return { uid, namespace, name };
}
