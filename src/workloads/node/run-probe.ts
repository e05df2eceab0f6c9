/** One look at a container: HTTP, TCP, gRPC or a command. Failures are results, in kubelet's words, never throws. */
import { connect } from "node:net";
import type { Probe } from "#api";
import { errorMessage, isAbort } from "#lib";
import { connectionText } from "./connection-text.ts";
import { lookGrpc } from "./grpc-look.ts";
import { lookHttp } from "./http-look.ts";
import { failed, type ProbeResult, type ProbeTarget } from "./probe-target.ts";

export async function runProbe(probe: Probe, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const timeoutSeconds = probe.timeoutSeconds ?? 1;
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]);
  try {
    const result = await look(probe, target, timeoutSeconds, { signal, deadline });
    // Not a failure of the container when we are the ones who end.
    signal.throwIfAborted();
    return result;
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted || isAbort(error)) return failed(`probe timed out after ${timeoutSeconds}s`);
    return failed(errorMessage(error));
  }
}

async function look(
  probe: Probe,
  target: ProbeTarget,
  timeoutSeconds: number,
  { signal, deadline }: { readonly signal: AbortSignal; readonly deadline: AbortSignal },
): Promise<ProbeResult> {
  if (probe.httpGet !== undefined) return await lookHttp(probe.httpGet, target, deadline);
  if (probe.tcpSocket !== undefined) return await lookTcp(probe.tcpSocket, target, deadline);
  if (probe.grpc !== undefined) return await lookGrpc(probe.grpc, target, timeoutSeconds, deadline);
  return await lookExec(probe.exec?.command ?? [], target, timeoutSeconds, signal);
}

async function lookTcp(
  { port: wanted, host: named }: NonNullable<Probe["tcpSocket"]>,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const port = target.port(wanted);
  if (port === undefined) return failed(`couldn't find port: ${wanted}`);
  const host = named === undefined || named === "" ? target.host : named;
  return await new Promise<ProbeResult>((resolve) => {
    const socket = connect({ host, port, signal });
    socket.once("connect", () => {
      socket.destroy();
      resolve({ ok: true });
    });
    socket.once("error", (error) => {
      const late = `dial tcp ${host}:${port}: i/o timeout`;
      resolve(failed(signal.aborted ? late : connectionText(error, host, port)));
    });
  });
}

async function lookExec(
  command: readonly string[],
  target: ProbeTarget,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const timeoutMs = timeoutSeconds * 1000;
  try {
    const result = await target.runtime.exec(target.record.id, command, { timeoutMs, signal });
    return result.exitCode === 0 ? { ok: true } : failed(result.output);
  } catch (error) {
    signal.throwIfAborted();
    const late = error instanceof Error && (isAbort(error) || error.name === "TimeoutError");
    const text = `command timed out: ${JSON.stringify(command.join(" "))} timed out after ${timeoutSeconds}s`;
    return failed(late ? text : errorMessage(error));
  }
}
