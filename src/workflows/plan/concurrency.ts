/** `concurrency` evaluated: which group is to be joined, and how. */
import { ExpressionFailure } from "../errors.ts";
import { evaluateTemplate, evaluateValue, type Contexts } from "../expressions/evaluate.ts";
import type { Concurrency } from "../parse/model.ts";

export interface GroupRequest {
  /** In lower case: groups do not distinguish it. */
  readonly name: string;
  readonly cancelInProgress: boolean;
  readonly queue: "single" | "max";
}

const maxNameLength = 400;

/** Undefined when the name is empty. Throws `ExpressionFailure`. */
export function requestGroup(concurrency: Concurrency, contexts: Contexts): GroupRequest | undefined {
  const name = evaluateTemplate(concurrency.group, contexts).trim().toLowerCase();
  if (name === "") return undefined;
  if (name.length > maxNameLength) {
    throw new ExpressionFailure(
      `Name of the concurrency group has ${name.length} characters of ${maxNameLength} allowed`,
    );
  }
  const { cancelInProgress: flag, queue } = concurrency;
  const value = typeof flag === "string" ? evaluateValue(flag, contexts) : flag;
  const cancelInProgress = value === true || value === "true";
  if (cancelInProgress && queue === "max") {
    throw new ExpressionFailure('"queue: max" excludes "cancel-in-progress", which is true here. Keep one of the two');
  }
  return { name, cancelInProgress, queue };
}
