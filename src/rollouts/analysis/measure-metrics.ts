/** Takes the measurements a run needs now, all at once. Secrets are filled in here and nowhere else. */
import { type AnalysisArgument, type AnalysisRun, type Measurement, type Metric, secrets } from "#api";
import { type Clock, errorMessage } from "#lib";
import type { Cluster } from "#kube";
import type { MeasurePort, MeasureResult } from "../ports.ts";
import { preciseTime } from "../timestamps.ts";
import { substitute } from "./arguments.ts";
import { judge, printResult } from "./conditions.ts";
import type { Measured } from "./plan-run.ts";
import type { Made } from "./templates.ts";

export interface MeasureContext {
  readonly cluster: Cluster;
  readonly measure: MeasurePort;
  readonly clock: Clock;
}

const standIn = "*****";

/** The values of a run's args, with stand-ins for secret ones. */
export function argValues(args: readonly AnalysisArgument[]): Map<string, string> {
  const pairs = args.flatMap(({ name, value, valueFrom }): [string, string][] => {
    if (value !== undefined) return [[name, value]];
    return valueFrom?.secretKeyRef === undefined ? [] : [[name, standIn]];
  });
  return new Map(pairs);
}

/** The secret values among a run's args; refused when a Secret or its key is missing. */
export async function secretValues(
  cluster: Cluster,
  run: AnalysisRun,
  signal: AbortSignal,
): Promise<Made<ReadonlyMap<string, string>>> {
  const values = new Map<string, string>();
  for (const { name, valueFrom } of run.spec.args ?? []) {
    const ref = valueFrom?.secretKeyRef;
    if (ref === undefined) continue;
    const namespace = run.metadata.namespace ?? "default";
    const secret = await cluster.get(secrets, { namespace, name: ref.name }, { signal });
    if (secret === undefined) return { kind: "refused", message: `secret '${ref.name}' not found` };
    const encoded = secret.data?.[ref.key];
    if (encoded === undefined) {
      return { kind: "refused", message: `key '${ref.key}' does not exist in secret '${ref.name}'` };
    }
    values.set(name, Buffer.from(encoded, "base64").toString("utf8"));
  }
  return { kind: "made", value: values };
}

/**
 * Measures `names`. The metrics are filled in anew from the run's spec, since those of the plan have stand-ins for
 * secrets.
 */
export async function measureMetrics(
  context: MeasureContext,
  run: AnalysisRun,
  names: ReadonlySet<string>,
  secretArgs: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<Measured[]> {
  const values = new Map([...argValues(run.spec.args ?? []), ...secretArgs]);
  const hidden = [...secretArgs.values()].filter((value) => value !== "");
  const wanted = run.spec.metrics.flatMap((metric) => {
    const resolved = substitute(metric, values);
    return resolved.kind === "made" && names.has(resolved.value.name) ? [resolved.value] : [];
  });
  return await Promise.all(wanted.map((metric) => measureOne(context, metric, hidden, signal)));
}

async function measureOne(
  { measure, clock }: MeasureContext,
  metric: Metric,
  hidden: readonly string[],
  signal: AbortSignal,
): Promise<Measured> {
  const provider = metric.provider.prometheus;
  const started = clock.now();
  let outcome: Pick<Measurement, "phase" | "message" | "value" | "metadata">;
  try {
    // validation lets no other provider pass
    if (provider === undefined) throw new Error("only the prometheus provider is supported");
    outcome = outcomeOf(await measure.query(provider, started, signal), metric);
  } catch (error) {
    signal.throwIfAborted();
    outcome = { phase: "Error", message: errorMessage(error) };
  }
  const measurement: Measurement = {
    ...outcome,
    startedAt: preciseTime(started),
    finishedAt: preciseTime(clock.now()),
  };
  if (measurement.message !== undefined) measurement.message = redact(measurement.message, hidden);
  const query = redact(provider?.query ?? "", hidden);
  return { metric: metric.name, measurement, metadata: { ResolvedPrometheusQuery: query } };
}

function outcomeOf(
  result: MeasureResult,
  metric: Metric,
): Pick<Measurement, "phase" | "message" | "value" | "metadata"> {
  const warnings = (result.warnings ?? []).map((warning) => `"${warning}"`).join(", ");
  return {
    ...judge(result, metric),
    value: printResult(result),
    ...(warnings === "" ? {} : { metadata: { warnings } }),
  };
}

function redact(text: string, hidden: readonly string[]): string {
  return hidden.reduce((shown, secret) => shown.replaceAll(secret, standIn), text);
}
