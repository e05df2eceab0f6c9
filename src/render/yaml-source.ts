/**
 * YAML text that still knows where each value stands, so that every complaint can name file, line and column.
 *
 * Scalars resolve as Kubernetes' readers do where that matters: core schema, but a leading zero makes an integer octal
 * (`defaultMode: 0755` is 493), and merge keys (`<<`) are expanded.
 */
import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from "yaml";
import type { Document, ParsedNode, ScalarTag } from "yaml";
import { isObject, type Location, type Problem } from "#lib";
import { limits } from "./limits.ts";

export type YamlPath = readonly (string | number)[];

const octalInt: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  test: /^[-+]?0[0-7]+$/,
  resolve: (text) => Number.parseInt(text, 8),
};

/** One document of a file: its plain value, and the place of anything in it. */
export class YamlDocument {
  readonly value: unknown;
  readonly file: string;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;

  constructor(file: string, document: Document.Parsed, lines: LineCounter, value: unknown) {
    this.file = file;
    this.#document = document;
    this.#lines = lines;
    this.value = value;
  }

  /** Where the value at `path` stands, or the nearest thing around it that is there. */
  locate(path: YamlPath): Location {
    let node: unknown = this.#document.contents;
    let offset = rangeStart(node);
    for (const segment of path) {
      node = childOf(node, segment);
      if (node === undefined) break;
      offset = rangeStart(node) ?? offset;
    }
    return this.#location(offset);
  }

  /** Where the key itself stands, for "unknown field". */
  locateKey(path: YamlPath): Location {
    const parent = path.slice(0, -1).reduce<unknown>(childOf, this.#document.contents);
    const key = path.at(-1);
    const pair = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
    return pair === undefined ? this.locate(path) : this.#location(rangeStart(pair.key));
  }

  problem(path: YamlPath, message: string): Problem {
    return { path: shownPath(path), message, at: this.locate(path) };
  }

  #location(offset: number | undefined): Location {
    const { line, col } = this.#lines.linePos(offset ?? 0);
    return { file: this.file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

/** `patches[0].target.kind` */
export function shownPath(path: YamlPath): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");
}

/** Every document of the text that is not empty. What is wrong goes to `problems`. */
export function parseYaml(file: string, text: string, problems: Problem[]): YamlDocument[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    merge: true,
    prettyErrors: false,
    logLevel: "silent",
    customTags: (tags) => [octalInt, ...tags],
  });
  if (!Array.isArray(documents)) return [];
  if (documents.length > limits.documentsInFile) {
    const message = `Cannot read the file: it has ${documents.length} documents, at most ${limits.documentsInFile} are read`;
    problems.push({ path: "", message, at: { file } });
    return [];
  }
  return documents.flatMap((document) => toYamlDocument(file, text, document as Document.Parsed, lines, problems));
}

function toYamlDocument(
  file: string,
  text: string,
  document: Document.Parsed,
  lines: LineCounter,
  problems: Problem[],
): YamlDocument[] {
  if (document.errors.length > 0) {
    for (const error of document.errors) {
      const { line, col } = lines.linePos(error.pos[0]);
      problems.push({ path: "", message: `Cannot read as YAML: ${error.message}`, at: { file, line, column: col } });
    }
    return [];
  }
  endBlockAtEnd(document, text);
  const problem = unsafeInteger(file, document, lines);
  if (problem !== undefined) problems.push(problem);
  try {
    const value = unshared(document.toJS({ maxAliasCount: limits.aliases }));
    return value === null || value === undefined ? [] : [new YamlDocument(file, document, lines, value)];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.push({ path: "", message: `Cannot read as YAML: ${reason}`, at: { file, line: 1, column: 1 } });
    return [];
  }
}

/**
 * A block scalar keeps its last line break only if there is one (YAML 1.2, 8.1.1.2). The parser invents it for a text
 * that ends in the middle of a line; Go's does not, and the content hash of a ConfigMap would differ.
 */
function endBlockAtEnd(document: Document.Parsed, text: string): void {
  if (text.endsWith("\n")) return;
  visit(document, {
    Scalar(_key, node) {
      if (!node.type?.startsWith("BLOCK_") || typeof node.value !== "string") return;
      if ((node.range?.[1] ?? 0) >= text.length && node.value.endsWith("\n")) node.value = node.value.slice(0, -1);
    },
  });
}

/** A copy in which nothing is one object in two places, as aliases leave it: later steps change values in place. */
function unshared(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unshared);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unshared(item)]));
}

/** Integers beyond 2^53 would silently become other integers. */
function unsafeInteger(file: string, document: Document.Parsed, lines: LineCounter): Problem | undefined {
  let found: Problem | undefined;
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== "number" || Number.isSafeInteger(node.value)) return undefined;
      if (!/^[-+]?\d+$/.test(node.source ?? "")) return undefined;
      const { line, col } = lines.linePos(node.range?.[0] ?? 0);
      const message = `Cannot hold the integer ${node.source} exactly: write it as a string, in quotes`;
      found = { path: "", message, at: { file, line, column: col } };
      return visit.BREAK;
    },
  });
  return found;
}

function childOf(node: unknown, segment: string | number): unknown {
  if (isSeq(node) && typeof segment === "number") return node.items[segment];
  if (!isMap(node)) return undefined;
  return node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(segment))?.value;
}

function rangeStart(node: unknown): number | undefined {
  return (node as ParsedNode | null | undefined)?.range?.[0];
}
