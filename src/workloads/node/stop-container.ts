/** Ends a container as kubelet does: the preStop hook first, inside the grace period, then the stop signal, then SIGKILL. */
import type { Container, Pod } from "#api";
import { errorMessage, isAbort } from "#lib";
import { callHttp } from "./http-look.ts";
import { type NodeContext, tell } from "./node-context.ts";
import type { ProbeTarget } from "./probe-target.ts";

/** Left for the stop signal when a hook used up the grace period. */
const leastGraceMs = 2000;

export interface Stop {
  readonly pod: Pod;
  readonly target: ProbeTarget;
  readonly graceMs: number;
  /** Resolves when the containers that end before this one have ended. */
  readonly turn: (signal: AbortSignal) => Promise<void>;
}

export async function stopContainer(context: NodeContext, stop: Stop, signal: AbortSignal): Promise<void> {
  const { clock, runtime } = context;
  const { pod, target, graceMs } = stop;
  const { record } = target;
  const beganMs = clock.monotonicMs();
  const left = (): number => Math.ceil(graceMs - (clock.monotonicMs() - beganMs));
  const hook = findContainer(pod, record.name)?.lifecycle?.preStop;
  if (hook !== undefined && graceMs > 0) {
    const failure = await runHook(context, target, hook, graceMs, signal);
    if (failure !== undefined) await tellHook(context, pod, "PreStop", failure, signal);
  }
  if (left() > 0) await within(left(), stop.turn, signal);
  await runtime.stopContainer(record.id, { graceMs: graceMs === 0 ? 0 : Math.max(left(), leastGraceMs), signal });
}

export function findContainer(pod: Pod, name: string): Container | undefined {
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((container) => container.name === name);
}

/** A hook's output may hold what events must not: the event says that it failed, our log says how. */
export async function tellHook(
  context: NodeContext,
  pod: Pod,
  hook: "PreStop" | "PostStart",
  failure: string,
  signal: AbortSignal,
): Promise<void> {
  context.log.info("A hook of a container failed", { pod: pod.metadata.name, hook, failure });
  await tell(context, pod, "Warning", `Failed${hook}Hook`, `${hook}Hook failed`, signal);
}

async function within(ms: number, work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
  try {
    await work(deadline);
  } catch (error) {
    signal.throwIfAborted();
    if (!deadline.aborted) throw error;
  }
}

type Hook = NonNullable<NonNullable<Container["lifecycle"]>["preStop"]>;

/** What went wrong, or undefined. */
export async function runHook(
  context: NodeContext,
  target: ProbeTarget,
  hook: Hook,
  limitMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  try {
    if (hook.sleep !== undefined) {
      await context.clock.sleep(Math.min(hook.sleep.seconds * 1000, limitMs), signal);
      return undefined;
    }
    if (hook.httpGet !== undefined) {
      const result = await callHttp(hook.httpGet, target, deadline);
      return result.ok ? undefined : result.message;
    }
    // Upstream takes a tcpSocket for old manifests' sake, and has never run one.
    if (hook.exec === undefined) return "invalid handler: exec, httpGet and sleep are known";
    const result = await context.runtime.exec(target.record.id, hook.exec.command, { timeoutMs: limitMs, signal });
    if (result.exitCode === 0) return undefined;
    return `command exited with ${result.exitCode}: ${result.output.slice(0, 256)}`;
  } catch (error) {
    signal.throwIfAborted();
    return isAbort(error) || deadline.aborted ? "the hook did not end in time" : errorMessage(error);
  }
}
