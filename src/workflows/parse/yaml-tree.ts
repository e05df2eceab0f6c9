/**
 * YAML text as a plain tree with places. Everything a hostile file can blow up (size, depth, aliases of aliases) is
 * bounded here, so that nothing behind it needs to care.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from "yaml";
import { errorMessage, type Checked, type Problem } from "#lib";

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

const yamlLimits = { textLength: 1024 * 1024, depth: 50, nodes: 100_000 } as const;

class YamlRefusal extends Error {
  readonly position: Position | undefined;

  constructor(message: string, position: Position | undefined) {
    super(message);
    this.position = position;
  }
}

/** The value is absent exactly when there is a problem. */
export function readYamlTree(file: string, text: string): Checked<YamlNode> {
  if (text.length > yamlLimits.textLength) {
    const message = `File is too large: ${text.length} characters of ${yamlLimits.textLength} allowed. Split it`;
    return { problems: [{ path: "", message, at: { file } }] };
  }
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, keepSourceTokens: true, uniqueKeys: false });
    const errors = document.errors.map((error): Problem => {
      const place = error.linePos?.[0];
      const message = `Not valid YAML: ${firstLine(error.message)}`;
      return { path: "", message, at: { file, line: place?.line ?? 1, column: place?.col ?? 1 } };
    });
    if (errors.length > 0) return { problems: errors };
    return { value: new TreeBuilder(document, lines).build(), problems: [] };
  } catch (error) {
    // The YAML package recurses: a file of ten thousand brackets ends in a RangeError.
    const position = error instanceof YamlRefusal ? error.position : { line: 1, column: 1 };
    const message = error instanceof YamlRefusal ? error.message : `Not readable as YAML: ${errorMessage(error)}`;
    return { problems: [{ path: "", message, at: { file, ...position } }] };
  }
}

/** The package appends the place and a drawing of it to the first line, and we have our own place. */
function firstLine(message: string): string {
  return (message.split("\n")[0] ?? message).replace(/ at line \d+, column \d+:?$/, "");
}

class TreeBuilder {
  readonly #document: Document;
  readonly #lines: LineCounter;
  #nodes = 0;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  build(): YamlNode {
    return this.#node(this.#document.contents, { line: 1, column: 1 }, 0, []);
  }

  #node(node: Node | null, fallback: Position, depth: number, aliases: readonly Node[]): YamlNode {
    const start = this.#position(node?.range?.[0]) ?? fallback;
    const end = this.#position(node?.range?.[1]) ?? start;
    this.#nodes += 1;
    if (this.#nodes > yamlLimits.nodes) {
      const message = `File is too large: more than ${yamlLimits.nodes} values with its aliases followed. Use fewer`;
      throw new YamlRefusal(message, start);
    }
    if (depth > yamlLimits.depth) {
      throw new YamlRefusal(`Nested more than ${yamlLimits.depth} levels deep. Make it flatter`, start);
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
    const { value, srcToken } = node;
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
