/** What upstream checks of where a pod may run: affinity, tolerations, spread. With its paths and messages. Pure. */
import { isObject, type Problem } from "#lib";
import { invalid, required, unsupported } from "../argo/field-problem.ts";
import { faultProblems, labelValueFaults, qualifiedNameFaults } from "../meta/name-rules.ts";
import { selectorProblems } from "../meta/selector-rules.ts";
import type { PodSpec } from "./pod.ts";

export function placementProblems(spec: PodSpec, path: string): Problem[] {
  const affinity: unknown = spec["affinity"];
  return [
    ...(isObject(affinity) ? affinityProblems(affinity, `${path}.affinity`) : []),
    ...listOf(spec["topologySpreadConstraints"]).flatMap((item, index) =>
      spreadProblems(item, `${path}.topologySpreadConstraints[${index}]`),
    ),
  ];
}

type Fields = Record<string, unknown>;

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

const hardField = "requiredDuringSchedulingIgnoredDuringExecution";
const softField = "preferredDuringSchedulingIgnoredDuringExecution";

function affinityProblems(affinity: Fields, path: string): Problem[] {
  const problems: Problem[] = [];
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity;
  if (isObject(nodeAffinity)) problems.push(...nodeAffinityProblems(nodeAffinity, `${path}.nodeAffinity`));
  if (isObject(podAffinity)) problems.push(...podAffinityProblems(podAffinity, `${path}.podAffinity`));
  if (isObject(podAntiAffinity)) problems.push(...podAffinityProblems(podAntiAffinity, `${path}.podAntiAffinity`));
  return problems;
}

function nodeAffinityProblems(affinity: Fields, path: string): Problem[] {
  const problems: Problem[] = [];
  const hard = affinity[hardField];
  if (isObject(hard)) {
    const at = `${path}.${hardField}.nodeSelectorTerms`;
    const terms = listOf(hard["nodeSelectorTerms"]);
    if (terms.length === 0) problems.push(required(at, "must have at least one node selector term"));
    terms.forEach((term, index) => problems.push(...termProblems(term, `${at}[${index}]`)));
  }
  listOf(affinity[softField]).forEach((term, index) => {
    const at = `${path}.${softField}[${index}]`;
    problems.push(...weightProblems(term["weight"], `${at}.weight`));
    if (isObject(term["preference"])) problems.push(...termProblems(term["preference"], `${at}.preference`));
  });
  return problems;
}

function weightProblems(weight: unknown, path: string): Problem[] {
  if (typeof weight === "number" && weight >= 1 && weight <= 100) return [];
  return [invalid(path, weight ?? 0, "must be in the range 1-100")];
}

/** Of a node selector, whose expressions know more operators than a label selector's. */
export function termProblems(term: Fields, path: string): Problem[] {
  return listOf(term["matchExpressions"]).flatMap((expression, index) => {
    const at = `${path}.matchExpressions[${index}]`;
    const operator = textOf(expression["operator"]);
    const values = Array.isArray(expression["values"]) ? (expression["values"] as unknown[]) : [];
    const problems: Problem[] = [];
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) {
        problems.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) {
        const message = "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
        problems.push({ path: `${at}.values`, message });
      }
    } else if (operator === "Gt" || operator === "Lt") {
      if (values.length !== 1) {
        problems.push(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
      }
    } else {
      problems.push(invalid(`${at}.operator`, operator, "not a valid selector operator"));
    }
    const key = textOf(expression["key"]);
    return [...problems, ...faultProblems(`${at}.key`, key, qualifiedNameFaults(key))];
  });
}

function podAffinityProblems(affinity: Fields, path: string): Problem[] {
  const problems = listOf(affinity[hardField]).flatMap((term, index) =>
    podTermProblems(term, `${path}.${hardField}[${index}]`),
  );
  listOf(affinity[softField]).forEach((term, index) => {
    const at = `${path}.${softField}[${index}]`;
    problems.push(...weightProblems(term["weight"], `${at}.weight`));
    if (isObject(term["podAffinityTerm"])) {
      problems.push(...podTermProblems(term["podAffinityTerm"], `${at}.podAffinityTerm`));
    }
  });
  return problems;
}

function podTermProblems(term: Fields, path: string): Problem[] {
  const problems: Problem[] = [];
  const selector = term["labelSelector"];
  if (isObject(selector)) problems.push(...selectorProblems(selector, `${path}.labelSelector`));
  const key = textOf(term["topologyKey"]);
  if (key === "") problems.push(required(`${path}.topologyKey`, "can not be empty"));
  return [...problems, ...faultProblems(`${path}.topologyKey`, key, qualifiedNameFaults(key))];
}

const actions = ["DoNotSchedule", "ScheduleAnyway"];

function spreadProblems(constraint: Fields, path: string): Problem[] {
  const problems: Problem[] = [];
  const { maxSkew, topologyKey, whenUnsatisfiable: action, labelSelector } = constraint;
  if (typeof maxSkew !== "number" || maxSkew <= 0) {
    problems.push(invalid(`${path}.maxSkew`, maxSkew ?? 0, "must be greater than zero"));
  }
  if (!topologyKey) problems.push(required(`${path}.topologyKey`, "can not be empty"));
  if (typeof action !== "string" || !actions.includes(action)) {
    problems.push(unsupported(`${path}.whenUnsatisfiable`, action ?? "", actions));
  }
  if (isObject(labelSelector)) {
    problems.push(...selectorProblems(labelSelector, `${path}.labelSelector`));
  }
  return problems;
}

const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

export function tolerationProblems(tolerations: unknown, path: string): Problem[] {
  return listOf(tolerations).flatMap((toleration, index) => {
    const at = `${path}[${index}]`;
    const [key, operator, value, effect] = ["key", "operator", "value", "effect"].map((field) =>
      textOf(toleration[field]),
    ) as [string, string, string, string];
    const problems = key === "" ? [] : faultProblems(`${at}.key`, key, qualifiedNameFaults(key));
    if (key === "" && operator !== "Exists") {
      const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      problems.push(invalid(`${at}.operator`, operator, why));
    }
    if (toleration["tolerationSeconds"] !== undefined && effect !== "NoExecute") {
      problems.push(invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    }
    if (operator === "" || operator === "Equal") {
      const faults = labelValueFaults(value);
      if (faults.length > 0) problems.push(invalid(`${at}.operator`, value, faults.join(";")));
    } else if (operator === "Exists") {
      if (value !== "") {
        problems.push(invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"));
      }
    } else problems.push(unsupported(`${at}.operator`, operator, ["Equal", "Exists"]));
    if (effect !== "" && !effects.includes(effect)) problems.push(unsupported(`${at}.effect`, effect, effects));
    return problems;
  });
}
