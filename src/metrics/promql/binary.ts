/** Operators between scalars and vectors. */
import { type Labels, labelsKey, onlyLabels, withoutLabels } from "../labels.ts";
import type { Binary, BinaryOperator, VectorMatching } from "./ast.ts";
import { queryFailed } from "./errors.ts";
import { isComparison } from "./types.ts";
import { metricName, type Value, type VectorSample } from "./values.ts";

export function evaluateBinary(node: Binary, left: Value, right: Value): Value {
  if (left.type === "scalar" && right.type === "scalar") {
    return { type: "scalar", value: compute(node.operator, left.value, right.value) };
  }
  if (left.type === "vector" && right.type === "vector") {
    const samples = isSetOperator(node.operator)
      ? setOperation(node, left.samples, right.samples)
      : betweenVectors(node, left.samples, right.samples);
    return { type: "vector", samples };
  }
  if (left.type === "vector" && right.type === "scalar") {
    return { type: "vector", samples: withScalar(node, left.samples, (value) => [value, right.value]) };
  }
  if (left.type === "scalar" && right.type === "vector") {
    return { type: "vector", samples: withScalar(node, right.samples, (value) => [left.value, value]) };
  }
  throw queryFailed(`Cannot apply "${node.operator}" to ${left.type} and ${right.type}`);
}

function isSetOperator(operator: BinaryOperator): boolean {
  return operator === "and" || operator === "or" || operator === "unless";
}

/** Comparisons give 1 or 0. */
function compute(operator: BinaryOperator, a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      return a % b;
    case "^":
      return a ** b;
    case "atan2":
      return Math.atan2(a, b);
    case "==":
      return Number(a === b);
    case "!=":
      return Number(a !== b);
    case ">":
      return Number(a > b);
    case "<":
      return Number(a < b);
    case ">=":
      return Number(a >= b);
    case "<=":
      return Number(a <= b);
    default:
      return Number.NaN;
  }
}

function withScalar(
  node: Binary,
  samples: readonly VectorSample[],
  operands: (value: number) => readonly [number, number],
): VectorSample[] {
  const filter = isComparison(node.operator) && !node.bool;
  return samples.flatMap(({ labels, value }) => {
    const [a, b] = operands(value);
    const result = compute(node.operator, a, b);
    if (filter) return result === 1 ? [{ labels, value }] : [];
    return [{ labels: withoutLabels(labels, metricName), value: result }];
  });
}

/** The labels by which samples of the two sides find each other. */
function matchingKey(matching: VectorMatching): (labels: Labels) => string {
  const names = new Set(matching.mode === "on" ? matching.labels : [...matching.labels, "__name__"]);
  return (labels) => labelsKey(matching.mode === "on" ? onlyLabels(labels, names) : withoutLabels(labels, names));
}

function setOperation(node: Binary, left: readonly VectorSample[], right: readonly VectorSample[]): VectorSample[] {
  const key = matchingKey(node.matching);
  const rightKeys = new Set(right.map((sample) => key(sample.labels)));
  if (node.operator === "and") return left.filter((sample) => rightKeys.has(key(sample.labels)));
  if (node.operator === "unless") return left.filter((sample) => !rightKeys.has(key(sample.labels)));
  const leftKeys = new Set(left.map((sample) => key(sample.labels)));
  return [...left, ...right.filter((sample) => !leftKeys.has(key(sample.labels)))];
}

function betweenVectors(node: Binary, left: readonly VectorSample[], right: readonly VectorSample[]): VectorSample[] {
  const { matching } = node;
  const key = matchingKey(matching);
  const flipped = matching.group === "right";
  const [many, one] = flipped ? [right, left] : [left, right];
  const ones = new Map<string, VectorSample>();
  for (const sample of one) {
    const place = key(sample.labels);
    if (ones.has(place)) {
      throw queryFailed(
        `Found duplicate series for the match group on the ${flipped ? "left" : "right"} side of "${node.operator}": many-to-many matching is not allowed`,
      );
    }
    ones.set(place, sample);
  }
  const seen = new Set<string>();
  return many.flatMap((sample) => {
    const place = key(sample.labels);
    const partner = ones.get(place);
    if (partner === undefined) return [];
    const labels = resultLabels(node, sample.labels, partner.labels);
    const identity = labelsKey(labels);
    if (seen.has(identity))
      throw queryFailed(`Multiple matches for labels of "${node.operator}": use group_left or group_right`);
    seen.add(identity);
    const [a, b] = flipped ? [partner.value, sample.value] : [sample.value, partner.value];
    const result = compute(node.operator, a, b);
    if (!isComparison(node.operator) || node.bool) return [{ labels, value: result }];
    return result === 1
      ? [
          {
            labels: node.matching.group === undefined && node.matching.mode === "on" ? labels : sample.labels,
            value: a,
          },
        ]
      : [];
  });
}

function resultLabels(node: Binary, many: Labels, one: Labels): Labels {
  const { matching } = node;
  if (matching.group === undefined) {
    const names = new Set(matching.labels);
    const kept = matching.mode === "on" ? onlyLabels(many, names) : withoutLabels(many, names);
    return withoutLabels(kept, metricName);
  }
  const labels: Record<string, string> = { ...withoutLabels(many, metricName) };
  for (const name of matching.include) {
    const value = one[name];
    if (value === undefined) delete labels[name];
    else labels[name] = value;
  }
  return labels;
}
