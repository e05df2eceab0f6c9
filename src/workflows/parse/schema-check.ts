/**
 * Validation by the official schema: keys, types, allowed contexts and functions of every expression.
 *
 * The package's own entry points import JSON without the attribute Node demands, so they cannot be loaded; its parts
 * can, and the schema is read as the file it is. Only its errors are used: its tokens do not carry block scalars as YAML
 * means them, so the model comes from our own tree.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FeatureFlags } from "@actions/expressions";
import { JSONObjectReader } from "@actions/workflow-parser/templates/json-object-reader";
import type { ObjectReader } from "@actions/workflow-parser/templates/object-reader";
import { TemplateSchema } from "@actions/workflow-parser/templates/schema/index";
import { TemplateContext, TemplateValidationErrors } from "@actions/workflow-parser/templates/template-context";
import { readTemplate } from "@actions/workflow-parser/templates/template-reader";
import {
  BooleanToken,
  MappingToken,
  NullToken,
  NumberToken,
  SequenceToken,
  StringToken,
  type LiteralToken,
} from "@actions/workflow-parser/templates/tokens/index";
import { NoOperationTraceWriter } from "@actions/workflow-parser/templates/trace-writer";
import type { Problem } from "#lib";
import { withRemedy } from "./remedy.ts";
import type { YamlNode } from "./yaml-tree.ts";

export type Dialect = "github" | "forgejo";
export type SchemaRoot = "workflow-root-strict" | "action-root";

/** Contexts of Forgejo that mean `github`. */
const forgejoContexts = ["forgejo", "forge", "gitea"] as const;

interface RawDefinition {
  string?: { readonly constant: string };
  readonly context?: string[];
  readonly mapping?: Record<string, unknown> & { readonly properties?: Record<string, unknown> };
  "one-of"?: string[];
}
interface RawSchema {
  readonly definitions: Record<string, RawDefinition>;
}

const schemas = new Map<string, { readonly schema: TemplateSchema; readonly raw: RawSchema }>();

function loadSchema(root: SchemaRoot, dialect: Dialect): { schema: TemplateSchema; raw: RawSchema } {
  const file = root === "action-root" ? "action-v1.0.min.json" : "workflow-v1.0.min.json";
  const known = schemas.get(`${dialect}/${file}`);
  if (known !== undefined) return known;
  const path = new URL(file, import.meta.resolve("@actions/workflow-parser"));
  const raw = JSON.parse(readFileSync(fileURLToPath(path), "utf8")) as RawSchema;
  correct(raw);
  loosen(raw);
  if (dialect === "forgejo") addForgejo(raw);
  const loaded = { schema: TemplateSchema.load(new JSONObjectReader(undefined, JSON.stringify(raw))), raw };
  schemas.set(`${dialect}/${file}`, loaded);
  return loaded;
}

/** The package has another event's name where `repository_dispatch` stands without `types`, alone or in a list. */
function correct(raw: RawSchema): void {
  const definition = raw.definitions["repository-dispatch-string"];
  if (definition?.string !== undefined) definition.string = { constant: "repository_dispatch" };
}

/** GitHub's own reader takes inputs without a definition, and keys it does not know around them. */
function loosen(raw: RawSchema): void {
  for (const name of ["workflow-dispatch-mapping", "workflow-dispatch-input"]) {
    const mapping = raw.definitions[name]?.mapping;
    if (mapping === undefined) continue;
    mapping["loose-key-type"] = "non-empty-string";
    mapping["loose-value-type"] = "any";
  }
  const inputs = raw.definitions["workflow-dispatch-inputs"]?.mapping;
  if (inputs === undefined) return;
  raw.definitions["workflow-dispatch-input-or-none"] = { "one-of": ["null", "workflow-dispatch-input"] };
  inputs["loose-value-type"] = "workflow-dispatch-input-or-none";
  raw.definitions["workflow-dispatch-inputs-or-none"] = { "one-of": ["null", "workflow-dispatch-inputs"] };
  const { properties } = raw.definitions["workflow-dispatch-mapping"]?.mapping ?? {};
  if (properties !== undefined) properties["inputs"] = "workflow-dispatch-inputs-or-none";
}

/**
 * Forgejo's reference: the contexts `forgejo`, `forge`, `gitea`, two keys of workflows and jobs, `runs-on` beside a call,
 * where it has no effect, and what a service is started with as a list.
 */
function addForgejo(raw: RawSchema): void {
  for (const definition of Object.values(raw.definitions)) {
    if (definition.context?.includes("github") === true) definition.context.push(...forgejoContexts);
  }
  for (const name of ["workflow-root", "workflow-root-strict", "job-factory", "workflow-job"]) {
    const properties = raw.definitions[name]?.mapping?.properties;
    if (properties === undefined) continue;
    properties["enable-openid-connect"] = "boolean";
    properties["enable-email-notifications"] = "boolean";
  }
  const { properties: call } = raw.definitions["workflow-job"]?.mapping ?? {};
  if (call !== undefined) call["runs-on"] = "runs-on";
  const { properties: service } = raw.definitions["service-container-mapping"]?.mapping ?? {};
  if (service !== undefined) service["cmd"] = "sequence-of-non-empty-string";
}

/** Names of contexts and `name(min,max)` of functions that an `if` of this kind may use. */
export function allowedInCondition(definition: "job-if" | "step-if", dialect: Dialect): readonly string[] {
  return loadSchema("workflow-root-strict", dialect).raw.definitions[definition]?.context ?? [];
}

/** Every way in which the tree does not fit the schema. */
export function checkSchema(file: string, tree: YamlNode, root: SchemaRoot, dialect: Dialect): readonly Problem[] {
  const errors = new TemplateValidationErrors(200, 1000);
  const context = new TemplateContext(errors, loadSchema(root, dialect).schema, new NoOperationTraceWriter());
  context.state["featureFlags"] = new FeatureFlags({ all: true });
  const fileId = context.getFileId(file);
  readTemplate(context, root, new TreeReader(fileId, tree), fileId);
  return errors.getErrors().map((error) => {
    const place = error.range?.start ?? tree.start;
    return { path: "", message: withRemedy(error.rawMessage), at: { file, line: place.line, column: place.column } };
  });
}

type Event =
  | { readonly kind: "literal"; readonly token: LiteralToken }
  | { readonly kind: "sequence"; readonly token: SequenceToken }
  | { readonly kind: "mapping"; readonly token: MappingToken }
  | { readonly kind: "sequence-end" | "mapping-end" };

/** Our tree, read the way the package wants to read. */
class TreeReader implements ObjectReader {
  readonly #fileId: number;
  readonly #events: Event[] = [];
  #next = 0;

  constructor(fileId: number, tree: YamlNode) {
    this.#fileId = fileId;
    this.#push(tree);
  }

  #push(node: YamlNode): void {
    const range = { start: node.start, end: node.end };
    switch (node.kind) {
      case "scalar":
        this.#events.push({ kind: "literal", token: this.#literal(node) });
        return;
      case "sequence":
        this.#events.push({ kind: "sequence", token: new SequenceToken(this.#fileId, range, undefined) });
        for (const item of node.items) this.#push(item);
        this.#events.push({ kind: "sequence-end" });
        return;
      case "mapping":
        this.#events.push({ kind: "mapping", token: new MappingToken(this.#fileId, range, undefined) });
        for (const pair of node.pairs) {
          this.#push(pair.key);
          this.#push(pair.value);
        }
        this.#events.push({ kind: "mapping-end" });
    }
  }

  #literal(node: Extract<YamlNode, { kind: "scalar" }>): LiteralToken {
    const range = { start: node.start, end: node.end };
    const { value } = node;
    if (value === null) return new NullToken(this.#fileId, range, undefined);
    if (typeof value === "boolean") return new BooleanToken(this.#fileId, range, value, undefined);
    if (typeof value === "number") return new NumberToken(this.#fileId, range, value, undefined);
    return new StringToken(this.#fileId, range, value, undefined, node.source);
  }

  #take<K extends Event["kind"]>(kind: K): Extract<Event, { kind: K }> | undefined {
    const event = this.#events[this.#next];
    if (event?.kind !== kind) return undefined;
    this.#next += 1;
    return event as Extract<Event, { kind: K }>;
  }

  allowLiteral(): LiteralToken | undefined {
    return this.#take("literal")?.token;
  }

  allowSequenceStart(): SequenceToken | undefined {
    return this.#take("sequence")?.token;
  }

  allowSequenceEnd(): boolean {
    return this.#take("sequence-end") !== undefined;
  }

  allowMappingStart(): MappingToken | undefined {
    return this.#take("mapping")?.token;
  }

  allowMappingEnd(): boolean {
    return this.#take("mapping-end") !== undefined;
  }

  validateStart(): void {
    this.#next = 0;
  }

  validateEnd(): void {
    if (this.#next !== this.#events.length) throw new Error("Unexpected content after the end");
  }
}
