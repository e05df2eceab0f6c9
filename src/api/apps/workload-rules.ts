/** What Deployments and ReplicaSets have in common: selector, template, and the columns about them. */
import { deepEqual, type Problem } from "#lib";
import { invalid, required, wholeNumberProblems } from "../argo/field-problem.ts";
import type { PodTemplateSpec } from "../core/pod.ts";
import { podSpecProblems } from "../core/pod-validation.ts";
import type { PrinterColumn } from "../meta/kind.ts";
import type { KubeObject, LabelSelector } from "../meta/object.ts";
import { matchesSelector } from "../meta/selector.ts";

interface WorkloadSpec {
  replicas?: number;
  minReadySeconds?: number;
  selector: LabelSelector;
  template: PodTemplateSpec;
}

export function workloadProblems(spec: WorkloadSpec | undefined, old: WorkloadSpec | undefined): Problem[] {
  if (spec === undefined) return [required("spec", "")];
  const problems: Problem[] = [
    ...wholeNumberProblems("spec.replicas", spec.replicas),
    ...wholeNumberProblems("spec.minReadySeconds", spec.minReadySeconds),
  ];
  const { selector, template } = spec;
  if (selector === undefined) problems.push(required("spec.selector", ""));
  else if (isEmpty(selector)) {
    problems.push(invalid("spec.selector", selector, "empty selector is invalid for deployment"));
  } else if (template !== undefined && !matchesSelector(selector, template.metadata?.labels)) {
    const labels = template.metadata?.labels ?? null;
    problems.push(invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
  }
  if (old !== undefined && !deepEqual(selector, old.selector)) {
    problems.push(invalid("spec.selector", selector, "field is immutable"));
  }
  if (template === undefined) return [...problems, required("spec.template", "")];
  const policy = template.spec?.restartPolicy;
  if (policy !== undefined && policy !== "Always") {
    const message = `Unsupported value: ${JSON.stringify(policy)}: supported values: "Always"`;
    problems.push({ path: "spec.template.spec.restartPolicy", message });
  }
  return [...problems, ...podSpecProblems(template.spec, "spec.template.spec")];
}

function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
}

export function templateColumns<T extends KubeObject & { spec: WorkloadSpec }>(): PrinterColumn<T>[] {
  return [
    {
      name: "Containers",
      wide: true,
      cell: ({ spec }) => spec.template.spec.containers.map(({ name }) => name).join(","),
    },
    {
      name: "Images",
      wide: true,
      cell: ({ spec }) => spec.template.spec.containers.map(({ image }) => image).join(","),
    },
    { name: "Selector", wide: true, cell: ({ spec }) => selectorText(spec.selector) },
  ];
}

/** A selector as kubectl writes it: `app=web,tier in (a,b),!old`. */
function selectorText(selector: LabelSelector): string {
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === "Exists") return key;
    if (operator === "DoesNotExist") return `!${key}`;
    return `${key} ${operator === "In" ? "in" : "notin"} (${values.toSorted().join(",")})`;
  });
  return [...labels, ...expressions].sort().join(",") || "<none>";
}
