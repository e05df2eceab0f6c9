/** Inputs of a called workflow: what the call gives, with the types that the called workflow declares. */
import { ExpressionFailure } from "../errors.ts";
import { evaluateTree, evaluateValue, textOf, type Contexts } from "../expressions/evaluate.ts";
import type { CallInput, WorkflowCall } from "../parse/model.ts";
import type { ContextObject, ContextValue } from "../protocol.ts";

/** Throws `ExpressionFailure` for a value that is missing or does not fit. */
export function callInputs(call: WorkflowCall, contexts: Contexts): ContextObject {
  const given = evaluateTree(call.with, contexts) as ContextObject;
  const takes = call.workflow?.on.workflowCall?.inputs ?? [];
  return Object.fromEntries(takes.map((input) => [input.name, inputValue(input, given, contexts, call.uses)]));
}

function inputValue(input: CallInput, given: ContextObject, contexts: Contexts, uses: string): ContextValue {
  const found = Object.entries(given).find(([name]) => name.toLowerCase() === input.name.toLowerCase())?.[1];
  if (found === undefined) {
    const { default: initial } = input;
    if (initial === undefined) return input.type === "boolean" ? false : input.type === "number" ? 0 : "";
    return convert(input, typeof initial === "string" ? evaluateValue(initial, contexts) : initial, uses);
  }
  return convert(input, found, uses);
}

function convert(input: CallInput, value: ContextValue, uses: string): ContextValue {
  switch (input.type) {
    case "string":
      if (typeof value !== "object") return textOf(value);
      if (value === null) return "";
      break;
    case "boolean":
      if (typeof value === "boolean") return value;
      if (value === "true" || value === "false") return value === "true";
      if (value === "" || value === null) return false;
      break;
    case "number": {
      const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      if (typeof number === "number" && Number.isFinite(number)) return number;
      if (value === "" || value === null) return 0;
    }
  }
  throw new ExpressionFailure(
    `Cannot call "${uses}": input "${input.name}" is ${JSON.stringify(value).slice(0, 200)}. It must be a ${input.type}`,
  );
}
