/** Fields a body names twice. Of two values the last counts, which is seldom what was meant. Pure. */
import { parseDocument } from "yaml";

interface Level {
  /** Undefined for a list. */
  readonly keys: Set<string> | undefined;
  readonly path: string;
  /** The field, or the number of the item, that is being read. */
  at: string | number;
}

/** Their paths in a text that is JSON. */
export function duplicateFields(text: string): string[] {
  const found: string[] = [];
  const levels: Level[] = [];
  let expectsKey = false;
  for (let i = 0; i < text.length; i++) {
    const level = levels.at(-1);
    switch (text[i]) {
      case '"': {
        const end = endOfString(text, i);
        if (expectsKey && level?.keys !== undefined) {
          const key = String(JSON.parse(text.slice(i, end + 1)));
          if (level.keys.has(key)) found.push(level.path === "" ? key : `${level.path}.${key}`);
          level.keys.add(key);
          level.at = key;
          expectsKey = false;
        }
        i = end;
        break;
      }
      case "{":
      case "[": {
        const isMap = text[i] === "{";
        levels.push({ keys: isMap ? new Set() : undefined, path: pathBelow(level), at: isMap ? "" : 0 });
        expectsKey = isMap;
        break;
      }
      case "}":
      case "]":
        levels.pop();
        expectsKey = false;
        break;
      case ",":
        if (level?.keys === undefined) {
          if (level !== undefined) level.at = Number(level.at) + 1;
        } else expectsKey = true;
        break;
      default:
    }
  }
  return found;
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === '"') return i;
  }
  return text.length;
}

function pathBelow(level: Level | undefined): string {
  if (level === undefined) return "";
  if (typeof level.at === "number") return `${level.path}[${level.at}]`;
  return level.path === "" ? level.at : `${level.path}.${level.at}`;
}

/** What is wrong with a YAML text of that kind, as upstream's parser says it: `line 7: key "a" already set in map`. */
export function duplicateYamlKeys(text: string): string[] {
  return parseDocument(text).errors.flatMap((error) => {
    if (error.code !== "DUPLICATE_KEY") return [];
    const key = /^\S+/.exec(text.slice(error.pos[0]).replace(/^["']/, ""))?.[0]?.replace(/["']?:.*$/, "") ?? "";
    return [`line ${error.linePos?.[0].line ?? 0}: key ${JSON.stringify(key)} already set in map`];
  });
}
