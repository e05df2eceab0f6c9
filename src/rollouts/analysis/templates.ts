/** From the templates an analysis names to the spec of its run. */
import type {
  AnalysisArgument,
  AnalysisRunSpec,
  AnalysisTemplate,
  AnalysisTemplateSpec,
  Metric,
  TemplateRef,
} from "#api";

export type Made<T> =
  | { readonly kind: "made"; readonly value: T }
  | { readonly kind: "refused"; readonly message: string };

/** Finds a template by name in the rollout's namespace, or among the cluster's. */
export type FindTemplate = (ref: TemplateRef) => AnalysisTemplate | undefined;

export interface AnalysisRequest {
  readonly templates: readonly TemplateRef[];
  /** Values for the args that the templates declare; others are ignored. */
  readonly args: readonly AnalysisArgument[];
  readonly dryRun?: AnalysisTemplateSpec["dryRun"];
  readonly measurementRetention?: AnalysisTemplateSpec["measurementRetention"];
}

/** The spec of a run: all metrics of all templates, nested ones included, with merged args. */
export function runSpecOf(request: AnalysisRequest, find: FindTemplate): Made<AnalysisRunSpec> {
  const found = collect(request.templates, find, new Map());
  if (found.kind === "refused") return found;
  const specs = orderedSpecs(found.value);
  const metrics = specs.flatMap((spec) => spec.metrics ?? []);
  const twice = duplicate(metrics.map((metric) => metric.name));
  if (twice !== undefined) return { kind: "refused", message: `two metrics have the same name '${twice}'` };
  const declared = flattenArgs(specs);
  if (declared.kind === "refused") return declared;
  const args = mergeArgs(request.args, declared.value);
  if (args.kind === "refused") return args;
  const dryRun = [...(request.dryRun ?? []), ...specs.flatMap((spec) => spec.dryRun ?? [])];
  const retention = [
    ...(request.measurementRetention ?? []),
    ...specs.flatMap((spec) => spec.measurementRetention ?? []),
  ];
  const dryTwice = duplicate(dryRun.map((rule) => rule.metricName));
  if (dryTwice !== undefined) {
    return { kind: "refused", message: `two Dry-Run metric rules have the same name '${dryTwice}'` };
  }
  const keptTwice = duplicate(retention.map((rule) => rule.metricName));
  if (keptTwice !== undefined) {
    return { kind: "refused", message: `two Measurement Retention metric rules have the same name '${keptTwice}'` };
  }
  return { kind: "made", value: specFrom(metrics, args.value, dryRun, retention) };
}

function specFrom(
  metrics: Metric[],
  args: AnalysisArgument[],
  dryRun: NonNullable<AnalysisRunSpec["dryRun"]>,
  measurementRetention: NonNullable<AnalysisRunSpec["measurementRetention"]>,
): AnalysisRunSpec {
  return {
    metrics,
    ...(args.length === 0 ? {} : { args }),
    ...(dryRun.length === 0 ? {} : { dryRun }),
    ...(measurementRetention.length === 0 ? {} : { measurementRetention }),
  };
}

/** Every template reached, once each, in order; the map also ends cycles. */
function collect(
  refs: readonly TemplateRef[],
  find: FindTemplate,
  seen: Map<string, { readonly cluster: boolean; readonly spec: AnalysisTemplateSpec }>,
): Made<typeof seen> {
  for (const ref of refs) {
    const cluster = ref.clusterScope === true;
    const kind = cluster ? "ClusterAnalysisTemplate" : "AnalysisTemplate";
    const key = `${kind}/${ref.templateName}`;
    if (seen.has(key)) continue;
    const template = find(ref);
    if (template === undefined) return { kind: "refused", message: `${kind} '${ref.templateName}' not found` };
    seen.set(key, { cluster, spec: template.spec });
    const nested = collect(template.spec.templates ?? [], find, seen);
    if (nested.kind === "refused") return nested;
  }
  return { kind: "made", value: seen };
}

/** Upstream takes those of the namespace before those of the cluster. */
function orderedSpecs(
  found: ReadonlyMap<string, { readonly cluster: boolean; readonly spec: AnalysisTemplateSpec }>,
): AnalysisTemplateSpec[] {
  const all = [...found.values()];
  return [...all.filter(({ cluster }) => !cluster), ...all.filter(({ cluster }) => cluster)].map(({ spec }) => spec);
}

function duplicate(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index);
}

function flattenArgs(specs: readonly AnalysisTemplateSpec[]): Made<AnalysisArgument[]> {
  const args: AnalysisArgument[] = [];
  for (const arg of specs.flatMap((spec) => spec.args ?? [])) {
    const index = args.findIndex((other) => other.name === arg.name);
    const known = args[index];
    if (known === undefined) {
      args.push(arg);
      continue;
    }
    if (known.value !== undefined && arg.value !== undefined && known.value !== arg.value) {
      const values = `'${known.value}', '${arg.value}'`;
      const message = `Argument \`${arg.name}\` specified multiple times with different values: ${values}`;
      return { kind: "refused", message };
    }
    if (known.value === undefined) args[index] = arg;
  }
  return { kind: "made", value: args };
}

function mergeArgs(
  incoming: readonly AnalysisArgument[],
  declared: readonly AnalysisArgument[],
): Made<AnalysisArgument[]> {
  const args = declared.map((arg): AnalysisArgument => {
    const given = incoming.findLast((other) => other.name === arg.name);
    if (given?.value !== undefined) return { name: arg.name, value: given.value };
    return given?.valueFrom === undefined ? arg : { name: arg.name, valueFrom: given.valueFrom };
  });
  const missing = args.find((arg) => arg.value === undefined && arg.valueFrom === undefined);
  if (missing !== undefined) return { kind: "refused", message: `args.${missing.name} was not resolved` };
  return { kind: "made", value: args };
}
