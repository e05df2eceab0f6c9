/** What a step is called where people see it. */
import { ExpressionFailure, type StepDefinition } from "#workflows";
import { fillTemplate } from "./contexts.ts";
import type { Scope } from "./scope.ts";

const maxName = 100;

/** The name as written, or what the step does: the first line of it. */
export function rawStepName(definition: StepDefinition): string {
  return firstLine(definition, writtenName(definition));
}

function writtenName({ name, uses, run }: StepDefinition): string {
  return name !== undefined && name !== "" ? name : (uses ?? run ?? "");
}

function firstLine({ name }: StepDefinition, text: string): string {
  const line = text.trimStart().split(/[\r\n]/)[0] ?? "";
  return (name !== undefined && name !== "" ? line : `Run ${line}`).trimEnd();
}

/** With its expressions filled in as far as they can be now, and masked: many a step is named by its script. */
export function stepName(definition: StepDefinition, scope: Scope): string {
  try {
    // All of it, as an expression and what it gives may go over several lines; and masked before it is cut, as half a
    // secret is no longer known for one.
    const filled = scope.job.parts.masker.mask(fillTemplate(scope, writtenName(definition)));
    return filled.trim() === "" ? rawStepName(definition) : cut(firstLine(definition, filled));
  } catch (error) {
    if (error instanceof ExpressionFailure) return cut(rawStepName(definition));
    throw error;
  }
}

export function cut(name: string): string {
  return name.length > maxName ? `${name.slice(0, maxName - 1)}…` : name;
}
