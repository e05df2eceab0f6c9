/** Inputs of `workflow_dispatch`, and what `workflow_call` takes and gives. */
import type { CallInput, CallInterface, DispatchInput } from "./model.ts";
import type { NodeReader } from "./node-reader.ts";
import { defined } from "./read-steps.ts";
import type { YamlNode, YamlPair } from "./yaml-tree.ts";

const dispatchTypes = ["string", "boolean", "number", "choice", "environment"] as const;
const callTypes = ["string", "boolean", "number"] as const;

const inputKeys = ["description", "deprecationMessage", "type", "required", "default", "options"];

/** GitHub takes keys it does not know here, without a word. */
function warnUnknown(reader: NodeReader, node: YamlNode | undefined, known: readonly string[]): void {
  for (const { key } of reader.pairs(node)) {
    if (!known.includes(key.value)) {
      reader.warn(key, `"${key.value}" means nothing here. Known are ${known.join(", ")}`, "on");
    }
  }
}

export function readDispatchInputs(reader: NodeReader, config: YamlNode | undefined): readonly DispatchInput[] {
  warnUnknown(reader, config, ["inputs"]);
  return reader.pairs(reader.get(config, "inputs")).map((pair) => {
    const { value } = pair;
    warnUnknown(reader, value, inputKeys);
    const type = dispatchTypes.find((known) => known === reader.text(reader.get(value, "type"))) ?? "string";
    const options = reader.texts(reader.get(value, "options")) ?? [];
    if (type === "choice" && options.length === 0) {
      reader.error(pair.key, `Input "${pair.key.value}" is a choice without options. Add "options"`, "on");
    }
    const initial = readDefault(reader, pair, type);
    if (type === "choice" && initial !== undefined && options.length > 0 && !options.includes(String(initial))) {
      const message = `Default "${String(initial)}" is none of the options. Options are ${options.join(", ")}`;
      reader.error(reader.get(value, "default") ?? pair.key, message, "on");
    }
    const more = { description: reader.name(reader.get(value, "description")), default: initial };
    return { name: pair.key.value, type, required: isRequired(reader, value), options, ...defined(more) };
  });
}

export function readCallInterface(reader: NodeReader, config: YamlNode | undefined): CallInterface {
  const inputs = reader.pairs(reader.get(config, "inputs")).map((pair): CallInput => {
    const { value } = pair;
    const type = callTypes.find((known) => known === reader.text(reader.get(value, "type"))) ?? "string";
    const initial = readDefault(reader, pair, type);
    return { name: pair.key.value, type, required: isRequired(reader, value), ...defined({ default: initial }) };
  });
  const secrets = reader.pairs(reader.get(config, "secrets")).map((pair) => {
    if (pair.key.value.toLowerCase() === "github_token") {
      const message = `Secret "${pair.key.value}" is always there and cannot be declared. Remove it`;
      reader.error(pair.key, message, "on");
    }
    return { name: pair.key.value, required: isRequired(reader, pair.value) };
  });
  const outputs = reader
    .pairs(reader.get(config, "outputs"))
    .map((pair) => [pair.key.value, reader.text(reader.get(pair.value, "value")) ?? ""]);
  return { inputs, secrets, outputs: Object.fromEntries(outputs) as Record<string, string> };
}

function isRequired(reader: NodeReader, node: YamlNode): boolean {
  return reader.booleanOrTemplate(reader.get(node, "required")) === true;
}

/** A default of the wrong type would only show when a run starts by it. */
function readDefault(
  reader: NodeReader,
  pair: YamlPair,
  type: DispatchInput["type"],
): boolean | number | string | undefined {
  const node = reader.get(pair.value, "default");
  if (node?.kind !== "scalar" || node.value === null) return undefined;
  const { value } = node;
  if (typeof value === "string" && value.includes("${{")) return value;
  const fits =
    type === "boolean"
      ? typeof value === "boolean" || value === "true" || value === "false"
      : type !== "number" || (value !== "" && Number.isFinite(Number(value)));
  if (!fits)
    reader.error(node, `Default of input "${pair.key.value}" is ${JSON.stringify(value)}. It must be a ${type}`, "on");
  if (typeof value === "string" && type === "boolean") return value === "true";
  if (typeof value === "string" && type === "number") return Number(value);
  return type === "boolean" || type === "number" ? value : String(value);
}
