/** Gets a container's image by its policy, and tells of it in kubelet's words. */
import type { Container, Pod } from "#api";
import { errorCode, errorMessage } from "#lib";
import type { ContainerToStart } from "../ports.ts";
import { accountOf } from "./pod-fields.ts";
import { type NodeContext, tell } from "./node-context.ts";
import { pullLogins } from "./pull-secrets.ts";

export type PullResult =
  | { readonly kind: "pulled"; readonly image: ContainerToStart["image"] }
  | {
      readonly kind: "failed";
      readonly reason: "ErrImagePull" | "ErrImageNeverPull" | "InvalidImageName";
      readonly message: string;
    };

type Say = (type: "Normal" | "Warning", reason: string, message: string) => Promise<void>;

export async function pullImage(
  context: NodeContext,
  pod: Pod,
  container: Container,
  signal: AbortSignal,
): Promise<PullResult> {
  const { image: reference, imagePullPolicy: policy = "IfNotPresent" } = container;
  const podUid = pod.metadata.uid ?? "";
  const say: Say = (type, reason, message) => tell(context, pod, type, reason, message, signal);
  if (policy !== "Always") {
    const present = await findPresent(context, reference, podUid, signal);
    if (present !== undefined) {
      await say("Normal", "Pulled", `Container image "${reference}" already present on machine`);
      return { kind: "pulled", image: present };
    }
    if (policy === "Never") {
      const message = `Container image "${reference}" is not present with pull policy of Never`;
      await say("Warning", "ErrImageNeverPull", message);
      return { kind: "failed", reason: "ErrImageNeverPull", message };
    }
  }
  return await fetchImage(context, pod, { reference, policy, say }, signal);
}

async function fetchImage(
  context: NodeContext,
  pod: Pod,
  wanted: { readonly reference: string; readonly policy: "Always" | "IfNotPresent"; readonly say: Say },
  signal: AbortSignal,
): Promise<PullResult> {
  const { reference, policy, say } = wanted;
  const { logins, missing } = loginsFor(context, pod);
  if (missing.length > 0) {
    const names = missing.join(", ");
    const message = `Unable to retrieve some image pull secrets (${names}); attempting to pull the image may not succeed.`;
    await say("Warning", "FailedToRetrieveImagePullSecret", message);
  }
  await say("Normal", "Pulling", `Pulling image "${reference}"`);
  const beganMs = context.clock.monotonicMs();
  try {
    const image = await context.runtime.pull(reference, { policy, logins, podUid: pod.metadata.uid ?? "", signal });
    const took = `${((context.clock.monotonicMs() - beganMs) / 1000).toFixed(3)}s`;
    await say("Normal", "Pulled", `Successfully pulled image "${reference}" in ${took} (${took} including waiting).`);
    return { kind: "pulled", image };
  } catch (error) {
    signal.throwIfAborted();
    return await pullFailure(reference, error, say);
  }
}

async function pullFailure(reference: string, error: unknown, say: Say): Promise<PullResult> {
  const why = errorMessage(error);
  if (errorCode(error) === "images/bad-reference") {
    const message = `Failed to apply default image tag "${reference}": couldn't parse image name "${reference}": ${why}`;
    await say("Warning", "InspectFailed", message);
    await say("Warning", "Failed", "Error: InvalidImageName");
    return { kind: "failed", reason: "InvalidImageName", message };
  }
  await say("Warning", "Failed", `Failed to pull image "${reference}": ${why}`);
  await say("Warning", "Failed", "Error: ErrImagePull");
  return { kind: "failed", reason: "ErrImagePull", message: why };
}

async function findPresent(
  { runtime }: NodeContext,
  reference: string,
  podUid: string,
  signal: AbortSignal,
): Promise<ContainerToStart["image"] | undefined> {
  try {
    return await runtime.pull(reference, { policy: "Never", logins: [], podUid, signal });
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function loginsFor(context: NodeContext, pod: Pod): ReturnType<typeof pullLogins> {
  const namespace = pod.metadata.namespace ?? "";
  const account = context.serviceAccounts.get(namespace, accountOf(pod));
  return pullLogins(pod, account, (name) => context.secrets.get(namespace, name));
}
