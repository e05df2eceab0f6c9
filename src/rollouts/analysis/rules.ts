import type { Metric } from "#api";
import { linearPattern } from "#lib";

/** Names of the metrics that one of the rules' patterns is found in. */
export function namesMatching(
  rules: readonly { readonly metricName: string }[] | undefined,
  metrics: readonly Metric[],
): Set<string> {
  const patterns = (rules ?? []).map(({ metricName }) => linearPattern(metricName));
  const names = metrics.map((metric) => metric.name);
  return new Set(names.filter((name) => patterns.some((pattern) => pattern.test(name))));
}
