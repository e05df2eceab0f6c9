/** Inputs of `workflow_dispatch`: given values checked against their definitions, defaults filled in. */
import type { Checked, Problem } from "#lib";
import type { DispatchInput } from "../parse/model.ts";
import type { ContextObject, ContextValue } from "../protocol.ts";

/** GitHub's limit of all inputs together. */
const maxLength = 65_535;

export function readDispatchInputs(
  definitions: readonly DispatchInput[],
  given: ContextObject,
): Checked<ContextObject> {
  const problems: Problem[] = [];
  const values: Record<string, ContextValue> = {};
  for (const name of Object.keys(given)) {
    if (definitions.some((input) => input.name.toLowerCase() === name.toLowerCase())) continue;
    const known = definitions.map((input) => input.name).join(", ") || "none";
    problems.push({ path: `inputs.${name}`, message: `The workflow has no input of this name. It has ${known}` });
  }
  for (const input of definitions) {
    const found = Object.entries(given).find(([name]) => name.toLowerCase() === input.name.toLowerCase())?.[1];
    const value = found === undefined || found === null || found === "" ? input.default : found;
    if (value === undefined) {
      if (input.required)
        problems.push({ path: `inputs.${input.name}`, message: "Input is required. Give it a value" });
      else values[input.name] = emptyOf(input);
      continue;
    }
    const read = readInput(input, value);
    if (read.problem === undefined) values[input.name] = read.value;
    else problems.push({ path: `inputs.${input.name}`, message: read.problem });
  }
  if (JSON.stringify(values).length > maxLength) {
    problems.push({ path: "inputs", message: `Inputs have over ${maxLength} characters together. Shorten them` });
  }
  return problems.length > 0 ? { problems } : { value: values, problems };
}

function emptyOf(input: DispatchInput): ContextValue {
  if (input.type === "boolean") return false;
  if (input.type === "choice") return input.options[0] ?? "";
  return "";
}

type InputReading =
  | { readonly value: ContextValue; readonly problem?: never }
  | { readonly problem: string; readonly value?: never };

function readInput(input: DispatchInput, value: ContextValue): InputReading {
  if (typeof value === "object") return { problem: "Value must be a text, a number or a boolean" };
  const shown = JSON.stringify(value);
  switch (input.type) {
    case "boolean":
      if (value === true || value === "true") return { value: true };
      if (value === false || value === "false") return { value: false };
      return { problem: `Value is ${shown}. It must be true or false` };
    case "number": {
      const number = typeof value === "string" ? Number(value) : value;
      if (typeof number === "number" && Number.isFinite(number)) return { value: number };
      return { problem: `Value is ${shown}. It must be a number` };
    }
    case "choice":
      if (input.options.includes(String(value))) return { value: String(value) };
      return { problem: `Value is ${shown}. It must be one of ${input.options.join(", ")}` };
    case "string":
    case "environment":
      return { value: String(value) };
  }
}
