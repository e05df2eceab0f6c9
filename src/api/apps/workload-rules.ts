/** What Deployments and ReplicaSets have in common: selector, template, and the columns about them. */
import { deepEqual, type Problem } from "#lib";
import { invalid, required, wholeNumberProblems } from "../argo/field-problem.ts";
import type { PodTemplateSpec } from "../core/pod.ts";
import { podSpecProblems } from "../core/pod-validation.ts";
import type { PrinterColumn } from "../meta/kind.ts";
import type { IntOrString, KubeObject, LabelSelector } from "../meta/object.ts";
import { selectorText } from "../meta/selector-text.ts";
import { matchesSelector } from "../meta/selector.ts";

interface WorkloadSpec {
  replicas?: number;
  minReadySeconds?: number;
  selector: LabelSelector;
  template: PodTemplateSpec;
}

/** "selector only": upstream leaves the pods of StatefulSets to be refused one by one, since claims change their volumes. */
export function workloadProblems(
  spec: WorkloadSpec | undefined,
  old: WorkloadSpec | undefined,
  depth: "whole" | "selector only" = "whole",
): Problem[] {
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
  return depth === "whole" ? [...problems, ...podSpecProblems(template.spec, "spec.template.spec")] : problems;
}

function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
}

interface TemplateHolder extends KubeObject {
  spec: { template: PodTemplateSpec };
}

export function imageColumns<T extends TemplateHolder>(): PrinterColumn<T>[] {
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
  ];
}

export function templateColumns<
  T extends TemplateHolder & { spec: { selector?: LabelSelector } },
>(): PrinterColumn<T>[] {
  return [...imageColumns<T>(), { name: "Selector", wide: true, cell: ({ spec }) => selectorText(spec.selector) }];
}

export function isZero(value: IntOrString | undefined): boolean {
  return value === 0 || value === "0%";
}

/** Of a number of pods or a percentage of them. */
export function shareProblems(path: string, value: IntOrString | undefined, atMostAll: boolean): Problem[] {
  if (value === undefined || typeof value === "number") return wholeNumberProblems(path, value);
  const percent = /^(\d+)%$/.exec(value)?.[1];
  if (percent === undefined)
    return [invalid(path, value, "a valid percent string must be a numeric string followed by an ending '%'")];
  return atMostAll && Number(percent) > 100 ? [invalid(path, value, "must not be greater than 100%")] : [];
}
