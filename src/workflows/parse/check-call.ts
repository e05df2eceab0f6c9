/** Whether what a call gives is what the called workflow takes, as far as can be seen before anything is evaluated. */
import type { Problem } from "#lib";
import type { ContextValue } from "../protocol.ts";
import type { CallInput, CallInterface, WorkflowCall } from "./model.ts";

export function checkCall(call: WorkflowCall, takes: CallInterface): readonly Problem[] {
  const given = Object.keys(call.with);
  const problems: Problem[] = [];
  const add = (path: string, message: string): void =>
    void problems.push({ path, message, at: call.places?.[path] ?? call.at });
  for (const name of given) {
    const input = takes.inputs.find((known) => same(known.name, name));
    const value = call.with[name];
    if (isTemplate(name)) continue;
    if (input === undefined) {
      add(`with.${name}`, `The called workflow has no input "${name}". It has ${list(takes.inputs)}`);
    } else if (value !== undefined && !fits(input, value)) {
      add(`with.${name}`, `Input "${name}" is ${JSON.stringify(value)}. It must be a ${input.type}`);
    }
  }
  for (const input of takes.inputs) {
    if (
      !input.required ||
      input.default !== undefined ||
      given.some((name) => same(name, input.name) || isTemplate(name))
    )
      continue;
    add("with", `The called workflow needs input "${input.name}". Give it under "with"`);
  }
  if (call.secrets === "inherit") return problems;
  const secrets = Object.keys(call.secrets);
  for (const name of secrets) {
    if (isTemplate(name) || takes.secrets.some((known) => same(known.name, name))) continue;
    add(`secrets.${name}`, `The called workflow has no secret "${name}". It has ${list(takes.secrets)}`);
  }
  for (const secret of takes.secrets) {
    if (!secret.required || secrets.some((name) => same(name, secret.name) || isTemplate(name))) continue;
    const remedy = 'Give it under "secrets", or write "secrets: inherit"';
    add("secrets", `The called workflow needs secret "${secret.name}". ${remedy}`);
  }
  return problems;
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function isTemplate(name: string): boolean {
  return name.includes("${{");
}

function list(known: readonly { readonly name: string }[]): string {
  return known.map(({ name }) => name).join(", ") || "none";
}

function fits(input: CallInput, value: ContextValue): boolean {
  if (typeof value === "string" && isTemplate(value)) return true;
  if (typeof value === "object") return value === null;
  switch (input.type) {
    case "boolean":
      return typeof value === "boolean";
    case "number":
      return typeof value === "number";
    case "string":
      return true;
  }
}
