/**
 * Reads the tree into plain values. The schema has been checked before, so what has the wrong type here has a problem
 * already and is passed over.
 */
import type { Location, Problem } from "#lib";
import { insertKey, textOf } from "../expressions/evaluate.ts";
import type { ContextValue } from "../protocol.ts";
import type { TextRecord } from "./model.ts";
import type { Position, YamlMapping, YamlNode, YamlPair } from "./yaml-tree.ts";

export class NodeReader {
  readonly file: string;
  readonly problems: Problem[] = [];

  constructor(file: string) {
    this.file = file;
  }

  at(position: Position): Required<Location> {
    return { file: this.file, line: position.line, column: position.column };
  }

  error(node: { readonly start: Position }, message: string, path = ""): void {
    this.problems.push({ path, message, at: this.at(node.start) });
  }

  warn(node: { readonly start: Position }, message: string, path = ""): void {
    this.problems.push({ path, message, at: this.at(node.start), severity: "warning" });
  }

  /** The pairs of a mapping; none for anything else. */
  pairs(node: YamlNode | undefined): readonly YamlPair[] {
    return node?.kind === "mapping" ? node.pairs : [];
  }

  pair(node: YamlNode | undefined, key: string): YamlPair | undefined {
    return this.pairs(node).find((pair) => pair.key.value === key);
  }

  get(node: YamlNode | undefined, key: string): YamlNode | undefined {
    return this.pair(node, key)?.value;
  }

  /** A scalar as text, as GitHub writes it: null is empty, `true` is "true", `3.10` is "3.1". */
  text(node: YamlNode | undefined): string | undefined {
    if (node?.kind !== "scalar") return undefined;
    return typeof node.value === "number" ? numberText(node.value) : textOf(node.value);
  }

  /** Text that is there and not empty. */
  name(node: YamlNode | undefined): string | undefined {
    const text = this.text(node);
    return text === "" ? undefined : text;
  }

  /** One text or a list of them. */
  texts(node: YamlNode | undefined): readonly string[] | undefined {
    if (node === undefined) return undefined;
    const nodes = node.kind === "sequence" ? node.items : [node];
    return nodes.map((item) => this.name(item)).filter((text) => text !== undefined);
  }

  /** A literal, or the text of a template. */
  booleanOrTemplate(node: YamlNode | undefined): boolean | string | undefined {
    if (node?.kind !== "scalar" || node.value === null || typeof node.value === "number") return undefined;
    return node.value;
  }

  numberOrTemplate(node: YamlNode | undefined): number | string | undefined {
    if (node?.kind !== "scalar" || node.value === null || typeof node.value === "boolean") return undefined;
    return node.value;
  }

  /** A mapping of texts; an expression in place of all of it is kept under the key that stands for its pairs. */
  record(node: YamlNode | undefined): TextRecord {
    if (node === undefined) return {};
    if (node.kind !== "mapping") {
      const text = this.name(node);
      return text === undefined || node.kind !== "scalar" ? {} : { [insertKey]: text };
    }
    return Object.fromEntries(node.pairs.map((pair) => [pair.key.value, this.text(pair.value) ?? ""]));
  }

  /** Any value as JSON; expressions stay texts. */
  json(node: YamlNode): ContextValue {
    if (node.kind === "scalar") return node.value;
    if (node.kind === "sequence") return node.items.map((item) => this.json(item));
    return this.#object(node);
  }

  #object(node: YamlMapping): ContextValue {
    return Object.fromEntries(node.pairs.map((pair) => [pair.key.value, this.json(pair.value)]));
  }
}

/** Fifteen digits, and an exponent where more stand before the point: as .NET writes numbers. */
function numberText(value: number): string {
  if (!Number.isFinite(value) || value === 0) return textOf(value);
  const [digits = "", exponent = "0"] = value.toExponential(14).split("e");
  const power = Number(exponent);
  if (power < 15 && power > -6) return textOf(Number(value.toPrecision(15)));
  const mantissa = digits.replace(/\.?0+$/, "");
  return `${mantissa}E${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
