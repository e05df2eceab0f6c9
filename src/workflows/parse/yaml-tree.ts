/**
 * YAML text as a plain tree with places. Everything a hostile file can blow up (size, depth, aliases of aliases) is
 * bounded here, so that nothing behind it needs to care.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type YAMLParseError,
} from "yaml";
import { errorMessage, hasErrors, type Checked, type Problem } from "#lib";
import { taggedValue } from "./yaml-tags.ts";

export interface Position {
  readonly line: number;
  readonly column: number;
}

interface YamlScalar {
  readonly kind: "scalar";
  readonly value: null | boolean | number | string;
  /** The text of a multi-line scalar as it stands in the file, which places inside it are counted by. */
  readonly source?: string;
  readonly start: Position;
  readonly end: Position;
}

interface YamlSequence {
  readonly kind: "sequence";
  readonly items: readonly YamlNode[];
  readonly start: Position;
  readonly end: Position;
}

export interface YamlPair {
  readonly key: YamlScalar & { readonly value: string };
  readonly value: YamlNode;
}

export interface YamlMapping {
  readonly kind: "mapping";
  readonly pairs: readonly YamlPair[];
  readonly start: Position;
  readonly end: Position;
}

export type YamlNode = YamlScalar | YamlSequence | YamlMapping;

export interface YamlLimits {
  readonly textLength: number;
  readonly depth: number;
  readonly nodes: number;
}

/** A file within the length that has no aliases cannot reach the number of nodes: it stops aliases of aliases. */
const yamlLimits: YamlLimits = { textLength: 1024 * 1024, depth: 50, nodes: 100_000 };

class YamlRefusal extends Error {
  readonly position: Position | undefined;

  constructor(message: string, position: Position | undefined) {
    super(message);
    this.position = position;
  }
}

/** The value is absent exactly when there is an error. */
export function readYamlTree(file: string, text: string, limits = yamlLimits): Checked<YamlNode> {
  if (text.length > limits.textLength) {
    const message = `File is too large: ${text.length} characters of ${limits.textLength} allowed. Split it`;
    return { problems: [{ path: "", message, at: { file } }] };
  }
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, keepSourceTokens: true, uniqueKeys: false });
    const problems = withoutEchoes(document.errors).map((error) => syntaxProblem(file, error));
    if (hasErrors(problems)) return { problems };
    return { value: new TreeBuilder(document, lines, limits).build(), problems };
  } catch (error) {
    // The YAML package recurses: a file of ten thousand brackets ends in a RangeError.
    const position = error instanceof YamlRefusal ? error.position : { line: 1, column: 1 };
    const message = error instanceof YamlRefusal ? error.message : `Not readable as YAML: ${errorMessage(error)}`;
    return { problems: [{ path: "", message, at: { file, ...position } }] };
  }
}

function syntaxProblem(file: string, error: YAMLParseError): Problem {
  const place = error.linePos?.[0];
  const at = { file, line: place?.line ?? 1, column: place?.col ?? 1 };
  const message = firstLine(error.message);
  if (isForgiven(error)) return { path: "", message, at, severity: "warning" };
  const remedy = message.startsWith("Nested mappings") ? `. Put quotes around a value that holds ": "` : "";
  return { path: "", message: `Not valid YAML: ${message}${remedy}`, at };
}

/** GitHub reads a comment right behind a bracket; what it says is clear. */
function isForgiven({ message }: YAMLParseError): boolean {
  return message.startsWith("Comments must be separated");
}

/** One bracket too many makes every word behind it unexpected: of these the first is the mistake. */
function withoutEchoes(errors: readonly YAMLParseError[]): readonly YAMLParseError[] {
  const first = errors.findIndex((error) => !isForgiven(error));
  return errors.filter((error, index) => index <= first || error.code !== "UNEXPECTED_TOKEN");
}

/** The package appends the place and a drawing of it to the first line, and we have our own place. */
function firstLine(message: string): string {
  return (message.split("\n")[0] ?? message).replace(/ at line \d+, column \d+:?$/, "");
}

class TreeBuilder {
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #limits: YamlLimits;
  #nodes = 0;

  constructor(document: Document, lines: LineCounter, limits: YamlLimits) {
    this.#document = document;
    this.#lines = lines;
    this.#limits = limits;
  }

  build(): YamlNode {
    return this.#node(this.#document.contents, { line: 1, column: 1 }, 0, []);
  }

  #node(node: Node | null, fallback: Position, depth: number, aliases: readonly Node[]): YamlNode {
    const start = this.#position(node?.range?.[0]) ?? fallback;
    const end = this.#position(node?.range?.[1]) ?? start;
    this.#nodes += 1;
    if (this.#nodes > this.#limits.nodes) {
      const message = `File is too large: more than ${this.#limits.nodes} values with its aliases followed. Use fewer`;
      throw new YamlRefusal(message, start);
    }
    if (depth > this.#limits.depth) {
      throw new YamlRefusal(`Nested more than ${this.#limits.depth} levels deep. Make it flatter`, start);
    }
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined || aliases.includes(target)) {
        throw new YamlRefusal(
          `Alias "*${node.source}" refers to itself or to nothing. Name an anchor before it`,
          start,
        );
      }
      return this.#node(target, start, depth, [...aliases, target]);
    }
    if (isMap(node)) {
      const pairs = node.items.map((pair) => this.#pair(pair.key, pair.value, start, depth, aliases));
      return { kind: "mapping", pairs, start, end };
    }
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#node(item as Node | null, start, depth + 1, aliases));
      return { kind: "sequence", items, start, end };
    }
    return { kind: "scalar", ...this.#scalar(node), start, end };
  }

  #pair(key: unknown, value: unknown, fallback: Position, depth: number, aliases: readonly Node[]): YamlPair {
    const node = this.#node(key as Node | null, fallback, depth + 1, aliases);
    if (node.kind !== "scalar") {
      throw new YamlRefusal("A key must be a plain value. Write a name in its place", node.start);
    }
    const text = node.value === null ? "" : String(node.value);
    return {
      key: { kind: "scalar", value: text, start: node.start, end: node.end },
      value: this.#node(value as Node | null, node.end, depth + 1, aliases),
    };
  }

  #scalar(node: Node | null): { value: YamlScalar["value"]; source?: string } {
    if (!isScalar(node)) return { value: null };
    const { srcToken } = node;
    const tagged = taggedValue(node);
    if (tagged?.problem !== undefined) throw new YamlRefusal(tagged.problem, this.#position(node.range?.[0]));
    const { value } = tagged ?? node;
    const source = srcToken !== undefined && "source" in srcToken ? { source: srcToken.source } : {};
    switch (typeof value) {
      case "string":
        return { value, ...source };
      case "boolean":
      case "number":
        return { value };
      case "bigint":
        return { value: Number(value) };
      default:
        return { value: null };
    }
  }

  #position(offset: number | undefined): Position | undefined {
    if (offset === undefined) return undefined;
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col };
  }
}
