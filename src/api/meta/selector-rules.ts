import type { Problem } from "#lib";
import { invalid, required } from "../argo/field-problem.ts";
import { faultProblems, labelValueFaults, qualifiedNameFaults } from "./name-rules.ts";
import type { LabelSelector } from "./object.ts";

/** What upstream checks of a label selector, with its paths and messages. Pure. */
export function selectorProblems(selector: LabelSelector | undefined, path: string): Problem[] {
  if (selector === undefined) return [];
  const problems = Object.entries(selector.matchLabels ?? {}).flatMap(([key, value]) => [
    ...faultProblems(`${path}.matchLabels`, key, qualifiedNameFaults(key)),
    ...faultProblems(`${path}.matchLabels`, value, labelValueFaults(value)),
  ]);
  (selector.matchExpressions ?? []).forEach(({ key, operator, values = [] }, index) => {
    const at = `${path}.matchExpressions[${index}]`;
    switch (operator) {
      case "In":
      case "NotIn":
        if (values.length === 0) {
          problems.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
        }
        break;
      case "Exists":
      case "DoesNotExist":
        if (values.length > 0) {
          const message = "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
          problems.push({ path: `${at}.values`, message });
        }
        break;
      default:
        problems.push(invalid(`${at}.operator`, operator ?? "", "not a valid selector operator"));
    }
    problems.push(...faultProblems(`${at}.key`, key, qualifiedNameFaults(key)));
    values.forEach((value, place) =>
      problems.push(...faultProblems(`${at}.values[${place}]`, value, labelValueFaults(value))),
    );
  });
  return problems;
}
