/** What a step is called where people see it. */
import { ExpressionFailure, type StepDefinition } from "#workflows";
import { fillTemplate } from "./contexts.ts";
import type { Scope } from "./scope.ts";

const maxName = 100;

/** The name as written, or what the step does. */
export function rawStepName(definition: StepDefinition): string {
  if (definition.name !== undefined && definition.name !== "") return definition.name;
  const what = definition.uses ?? (definition.run ?? "").trimStart().split("\n")[0] ?? "";
  return `Run ${what}`.trimEnd();
}

/** With its expressions filled in as far as they can be now, and masked: many a step is named by its script. */
export function stepName(definition: StepDefinition, scope: Scope): string {
  const raw = rawStepName(definition);
  try {
    // Masked before it is cut, as half a secret is no longer known for one.
    const name = scope.job.parts.masker.mask(fillTemplate(scope, raw)).trim();
    return name === "" ? raw : cut(name);
  } catch (error) {
    if (error instanceof ExpressionFailure) return cut(raw);
    throw error;
  }
}

export function cut(name: string): string {
  return name.length > maxName ? `${name.slice(0, maxName - 1)}…` : name;
}
