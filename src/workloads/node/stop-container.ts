/** Ends a container as kubelet does: the preStop hook first, inside the grace period, then the stop signal, then SIGKILL. */
import type { Container, Pod } from "#api";
import { errorMessage, isAbort } from "#lib";
import { type NodeContext, tell } from "./node-context.ts";
import { lookHttp, type ProbeTarget } from "./run-probe.ts";

/** Left for the stop signal when a hook used up the grace period. */
const leastGraceMs = 2000;

export async function stopContainer(
  context: NodeContext,
  pod: Pod,
  target: ProbeTarget,
  graceMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { clock, runtime } = context;
  const { record } = target;
  const container = pod.spec.containers.find(({ name }) => name === record.name);
  const beganMs = clock.monotonicMs();
  const hook = container?.lifecycle?.preStop;
  if (container !== undefined && hook !== undefined && graceMs > 0) {
    const failure = await runHook(context, target, hook, graceMs, signal);
    if (failure !== undefined) await tell(context, pod, "Warning", "FailedPreStopHook", failure, signal);
  }
  const leftMs = graceMs - (clock.monotonicMs() - beganMs);
  await runtime.stopContainer(record.id, { graceMs: graceMs === 0 ? 0 : Math.max(leftMs, leastGraceMs), signal });
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
    if (hook.sleep !== undefined) await context.clock.sleep(Math.min(hook.sleep.seconds * 1000, limitMs), signal);
    if (hook.httpGet !== undefined) {
      const result = await lookHttp(hook.httpGet, target, deadline);
      return result.ok ? undefined : result.message;
    }
    if (hook.exec === undefined) return undefined;
    const result = await context.runtime.exec(target.record.id, hook.exec.command, { timeoutMs: limitMs, signal });
    if (result.exitCode === 0) return undefined;
    return `command exited with ${result.exitCode}: ${result.output.slice(0, 256)}`;
  } catch (error) {
    signal.throwIfAborted();
    return isAbort(error) || deadline.aborted ? "the hook did not end in time" : errorMessage(error);
  }
}
