/** `sum by (…)` and its kin. */
import { type Labels, labelsKey, onlyLabels, withoutLabels } from "../labels.ts";
import type { Aggregate } from "./ast.ts";
import { badQuery } from "./errors.ts";
import { extreme } from "./over-time.ts";
import { exactSum, quantile, variance } from "./rate.ts";
import type { VectorSample } from "./values.ts";

interface Group {
  readonly labels: Labels;
  readonly members: VectorSample[];
}

export function aggregate(
  node: Aggregate,
  samples: readonly VectorSample[],
  parameter: number | string,
): VectorSample[] {
  const groups = groupSamples(node, samples);
  switch (node.operator) {
    case "topk":
      return groups.flatMap((group) => ranked(group, Number(parameter), (a, b) => b - a));
    case "bottomk":
      return groups.flatMap((group) => ranked(group, Number(parameter), (a, b) => a - b));
    case "count_values":
      return groups.flatMap((group) => countValues(group, String(parameter)));
    default:
      return groups.map(({ labels, members }) => ({
        labels,
        value: reduce(
          node.operator,
          members.map((member) => member.value),
          Number(parameter),
        ),
      }));
  }
}

function groupSamples(node: Aggregate, samples: readonly VectorSample[]): Group[] {
  const { mode, labels: names } = node.grouping;
  const chosen = new Set(mode === "by" ? names : [...names, "__name__"]);
  const groups = new Map<string, Group>();
  for (const sample of samples) {
    const labels = mode === "by" ? onlyLabels(sample.labels, chosen) : withoutLabels(sample.labels, chosen);
    const key = labelsKey(labels);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { labels, members: [sample] });
    else group.members.push(sample);
  }
  return [...groups.values()];
}

function reduce(operator: string, values: readonly number[], parameter: number): number {
  switch (operator) {
    case "sum":
      return exactSum(values);
    case "avg":
      return exactSum(values) / values.length;
    case "min":
      return extreme(values, (a, b) => a < b);
    case "max":
      return extreme(values, (a, b) => a > b);
    case "count":
      return values.length;
    case "group":
      return 1;
    case "stddev":
      return Math.sqrt(variance(values));
    case "stdvar":
      return variance(values);
    case "quantile":
      return quantile(parameter, values);
    default:
      throw badQuery(`The aggregation "${operator}" is not supported`);
  }
}

/** NaN ranks last whichever way the order goes. */
function ranked(group: Group, count: number, order: (a: number, b: number) => number): VectorSample[] {
  const sorted = [...group.members].sort((a, b) => {
    if (Number.isNaN(a.value) || Number.isNaN(b.value))
      return Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value));
    return order(a.value, b.value);
  });
  return sorted.slice(0, Math.max(0, Math.floor(count)));
}

function countValues(group: Group, label: string): VectorSample[] {
  const counts = Map.groupBy(group.members, (member) => String(member.value));
  return [...counts].map(([text, members]) => ({ labels: { ...group.labels, [label]: text }, value: members.length }));
}
