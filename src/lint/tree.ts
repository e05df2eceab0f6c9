/** Reading a YAML tree of unknown shape: what is not there is undefined, what has the wrong type is nothing. */
import type { YamlNode, YamlPair } from "#workflows";

export function pairsOf(node: YamlNode | undefined): readonly YamlPair[] {
  return node?.kind === "mapping" ? node.pairs : [];
}

export function itemsOf(node: YamlNode | undefined): readonly YamlNode[] {
  return node?.kind === "sequence" ? node.items : [];
}

export function pairAt(node: YamlNode | undefined, key: string): YamlPair | undefined {
  return pairsOf(node).find((pair) => pair.key.value === key);
}

/** The value below these keys. */
export function nodeAt(node: YamlNode | undefined, ...keys: readonly string[]): YamlNode | undefined {
  let current = node;
  for (const key of keys) current = pairAt(current, key)?.value;
  return current;
}

export function textOf(node: YamlNode | undefined): string | undefined {
  return node?.kind === "scalar" && node.value !== null ? String(node.value) : undefined;
}

export function textAt(node: YamlNode | undefined, ...keys: readonly string[]): string | undefined {
  return textOf(nodeAt(node, ...keys));
}

/** One text or a list of them. */
export function textsOf(node: YamlNode | undefined): readonly string[] {
  if (node?.kind === "sequence") return node.items.map(textOf).filter((text) => text !== undefined);
  const text = textOf(node);
  return text === undefined ? [] : [text];
}

/** Every scalar below, each once, in the order of the file. Keys are not values. */
export function* scalarsOf(node: YamlNode | undefined): Iterable<Extract<YamlNode, { kind: "scalar" }>> {
  if (node === undefined) return;
  if (node.kind === "scalar") yield node;
  else if (node.kind === "sequence") for (const item of node.items) yield* scalarsOf(item);
  else for (const pair of node.pairs) yield* scalarsOf(pair.value);
}
