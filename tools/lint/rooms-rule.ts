/** Keeps the direction of `tools/rooms.ts`: rooms meet only through front doors, and only along an allowed arrow. */
import { dirname, resolve } from "node:path";
import { defineRule } from "@oxlint/plugins";
import { mayImport, roomOf } from "../rooms.ts";

/** The complaint about an import, or undefined when it is allowed. Pure, so that it is tested by table. */
export function importProblem(file: string, specifier: string): string | undefined {
  const from = roomOf(file);
  if (from === undefined) return undefined;
  if (specifier.startsWith("#")) {
    const [to = "", door] = specifier.slice(1).split("/");
    // Tests bring real parts together across rooms; doubles (`#room/testing`) are theirs alone.
    if (isTest(file)) return undefined;
    if (door === "testing") return `Source files may not import test doubles: "${specifier}"`;
    if (mayImport(from, to)) return undefined;
    return `Room "${from}" may not import room "${to}": declare a port in src/${from}/ports.ts and wire it in src/server`;
  }
  if (!specifier.startsWith(".")) return undefined;
  const target = resolve(dirname(file), specifier);
  const to = roomOf(target);
  // What the bundler takes in as a file (a picture, a style sheet) is no module.
  if (to === from || /\.(?:svg|css)$/.test(specifier)) return undefined;
  if (to === undefined) {
    return `Room "${from}" may not import "${specifier}": source files import rooms and packages only`;
  }
  return `Room "${from}" reaches into room "${to}" by a relative path: import "#${to}" instead`;
}

function isTest(file: string): boolean {
  return /\.(?:test|cases)\.ts$/.test(file);
}

interface SourceNode {
  readonly source?: object | null;
}

export const roomsRule = defineRule({
  create(context) {
    function check(node: SourceNode): void {
      const { source } = node;
      if (source === null || source === undefined || !("value" in source)) return;
      const { value } = source;
      if (typeof value !== "string") return;
      const message = importProblem(context.filename, value);
      if (message !== undefined) context.report({ message, node: node as never });
    }
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
    };
  },
});
