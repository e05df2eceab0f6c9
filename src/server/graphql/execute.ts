/** Answers the selections of a document from objects whose fields are values or functions of their arguments. */
import { AppError, errorMessage } from "#lib";
import { RestError } from "../rest/rest-error.ts";
import type { Document, Operation, Selection, Value } from "./parse.ts";

export type Args = Readonly<Record<string, unknown>>;

/** One object of the graph. A field is a value, objects, or a function that gives them. */
export class Graph {
  readonly type: string;
  /** What `... on` may call it as well. */
  readonly also: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(type: string, fields: Readonly<Record<string, unknown>>, also: readonly string[] = []) {
    this.type = type;
    this.fields = fields;
    this.also = also;
  }
}

interface Answer {
  readonly data: unknown;
  readonly errors?: readonly { readonly type: string; readonly path: readonly string[]; readonly message: string }[];
}

/** Fields and fragments in all: what asks for more asks for too much at once. */
const mostFields = 20_000;

interface Run {
  readonly document: Document;
  readonly variables: Args;
  fields: number;
}

function count(run: Run): void {
  run.fields += 1;
  if (run.fields > mostFields) throw new RestError("rest/bad-request", `A query has at most ${mostFields} fields`);
}

export async function executeOperation(
  document: Document,
  operation: Operation,
  root: Graph,
  variables: Args,
): Promise<Answer> {
  const run: Run = { document, variables: withDefaults(operation, variables), fields: 0 };
  const data: Record<string, unknown> = {};
  const errors: { type: string; path: readonly string[]; message: string }[] = [];
  for (const field of fieldsOf(run, operation.selections, root)) {
    try {
      data[field.alias] = await valueOf(run, field, root);
    } catch (error) {
      // What this server itself cannot do is not for its clients.
      if (!(error instanceof AppError)) throw error;
      data[field.alias] = null;
      errors.push({ type: typeOf(error), path: [field.alias], message: errorMessage(error) });
    }
  }
  return errors.length === 0 ? { data } : { data, errors };
}

function typeOf({ code }: AppError): string {
  if (code.endsWith("not-found")) return "NOT_FOUND";
  return code.endsWith("forbidden") ? "FORBIDDEN" : "UNPROCESSABLE";
}

function withDefaults({ variables }: Operation, given: Args): Args {
  const all: Record<string, unknown> = {};
  for (const [name, fallback] of variables) {
    const value = given[name];
    all[name] = value === undefined && fallback !== undefined ? constantOf(fallback, {}) : value;
  }
  return all;
}

type Field = Extract<Selection, { kind: "field" }>;

function fieldsOf(run: Run, selections: readonly Selection[], object: Graph, within: readonly string[] = []): Field[] {
  return selections.flatMap((selection): Field[] => {
    // Before it is unfolded: a few fragments, each with the next one twice, hold more than memory does.
    count(run);
    if (selection.kind === "field") return [selection];
    if (selection.kind === "spread" && within.includes(selection.name)) {
      throw new RestError("rest/bad-request", `Fragment "${selection.name}" is within itself`);
    }
    const fragment = selection.kind === "inline" ? selection : run.document.fragments.get(selection.name);
    if (fragment === undefined) {
      throw new RestError(
        "rest/bad-request",
        `There is no fragment "${selection.kind === "spread" ? selection.name : ""}"`,
      );
    }
    const fits = fragment.on === undefined || fragment.on === object.type || object.also.includes(fragment.on);
    const inner = selection.kind === "spread" ? [...within, selection.name] : within;
    return fits ? fieldsOf(run, fragment.selections, object, inner) : [];
  });
}

async function valueOf(run: Run, field: Field, object: Graph): Promise<unknown> {
  if (field.name === "__typename") return object.type;
  if (!Object.hasOwn(object.fields, field.name)) {
    throw new RestError("rest/bad-request", `Field '${field.name}' doesn't exist on type '${object.type}'`);
  }
  const found = object.fields[field.name];
  const args = Object.fromEntries([...field.args].map(([name, value]) => [name, constantOf(value, run.variables)]));
  const value: unknown = typeof found === "function" ? await (found as (args: Args) => unknown)(args) : found;
  return await shapeOf(run, field, value);
}

async function shapeOf(run: Run, field: Field, value: unknown): Promise<unknown> {
  if (Array.isArray(value)) {
    const all: unknown[] = [];
    for (const one of value) all.push(await shapeOf(run, field, one));
    return all;
  }
  if (!(value instanceof Graph)) return value ?? null;
  if (field.selections.length === 0) {
    throw new RestError("rest/bad-request", `Field '${field.name}' returns ${value.type} but has no selections`);
  }
  const shape: Record<string, unknown> = {};
  for (const inner of fieldsOf(run, field.selections, value)) shape[inner.alias] = await valueOf(run, inner, value);
  return shape;
}

function constantOf(value: Value, variables: Args): unknown {
  switch (value.kind) {
    case "constant":
      return value.value;
    case "variable":
      return variables[value.name];
    case "list":
      return value.values.map((one) => constantOf(one, variables));
    case "object":
      return Object.fromEntries([...value.fields].map(([name, one]) => [name, constantOf(one, variables)]));
  }
}
