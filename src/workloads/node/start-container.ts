/** Starts one attempt of a container: volumes, image, configuration, process. What goes wrong comes back as data. */
import type { Container, Pod } from "#api";
import { errorMessage } from "#lib";
import type { ContainerRecord, ContainerToStart, PodNetwork } from "../ports.ts";
import { PlaceError } from "./bind-pod.ts";
import { containerEnvironment } from "./container-env.ts";
import { hostIp, type NodeContext, sourcesOf, tell } from "./node-context.ts";
import { identityOf, type PodPlace } from "./pod-fields.ts";
import { limitsOf, securityOf } from "./pod-security.ts";
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
  /** As far as it is known before the image is. */
  readonly network: PodNetwork;
  /** Settles the network, once the image is known. */
  readonly settle: (image: ContainerToStart["image"]) => Promise<PodNetwork>;
  readonly volumes: VolumeWriter;
}

export async function startContainer(
  context: NodeContext,
  input: StartInput,
  signal: AbortSignal,
): Promise<StartResult> {
  const { pod, container, volumes } = input;
  const say = (type: "Normal" | "Warning", reason: string, message: string): Promise<void> =>
    tell(context, pod, type, reason, message, signal);
  const problem = await volumes.write(pod, placeOf(context, input.network), signal);
  if (problem !== undefined) {
    const message = `MountVolume.SetUp failed for volume "${problem.name}" : ${problem.message}`;
    await say("Warning", "FailedMount", message);
    return { kind: "failed", reason: "FailedMount", message };
  }
  const pulled = await pullImage(context, pod, container, signal);
  if (pulled.kind === "failed") return pulled;
  const network = await settled(input, pulled.image, say);
  if (network === undefined) return { kind: "failed", reason: "RunContainerError", message: "the pod has no sandbox" };
  const prepared = prepare(context, { ...input, network });
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

/** Undefined, and told, where the pod cannot have the runtime that it asks for. */
async function settled(
  { settle }: StartInput,
  image: ContainerToStart["image"],
  say: (type: "Warning", reason: string, message: string) => Promise<void>,
): Promise<PodNetwork | undefined> {
  try {
    return await settle(image);
  } catch (error) {
    if (!(error instanceof PlaceError)) throw error;
    await say("Warning", "FailedCreatePodSandBox", error.message);
    return undefined;
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
  const security = securityOf(pod, container);
  if (security.kind === "missing") return security;
  const limits = limitsOf(container);
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
    ...(limits === undefined ? {} : { limits }),
    ...(security.value === undefined ? {} : { security: security.value }),
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
