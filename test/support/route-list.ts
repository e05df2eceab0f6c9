/** The routes of the HTTP faces, read from their sources, so that a test of all of them forgets none. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface Route {
  readonly method: string;
  readonly path: string;
}

const root = join(import.meta.dirname, "..", "..");
const call =
  /\bapp\.(?<method>get|post|put|patch|delete)(?:<[^(]*>)?\(\s*(?:"(?<said>\/[^"]*)"|`(?<made>[^`]*)`|(?<name>\w+))/g;
const callStart = /\bapp\.(?:get|post|put|patch|delete)\b/g;

/**
 * Of every `*-routes.ts` in the folder, with 1 for each parameter.
 *
 * @param except files whose routes are elsewhere
 * @param variables the paths that a variable stands for which is no constant of its file
 */
export async function routesIn(
  folder: string,
  prefix: string,
  except: readonly string[],
  variables: Readonly<Record<string, readonly string[]>>,
): Promise<Route[]> {
  const all = (await readdir(join(root, folder))).filter((name) => name.endsWith("-routes.ts"));
  const files = all.filter((name) => !except.includes(name));
  const found = await Promise.all(
    files.map(async (file) => routesOf(file, await readFile(join(root, folder, file), "utf8"), variables)),
  );
  return found.flat().map(({ method, path }) => ({ method, path: `${prefix}${path.replaceAll(/:\w+|\*/g, "1")}` }));
}

function routesOf(file: string, text: string, variables: Readonly<Record<string, readonly string[]>>): Route[] {
  const constants = [...text.matchAll(/const (\w+) = "(\/[^"]*)"/g)];
  const calls = [...text.matchAll(call)];
  assert.equal(calls.length, text.match(callStart)?.length ?? 0, `every route of ${file} is recognised`);
  return calls.flatMap(({ groups = {}, index }) => {
    const { method = "", said, made, name = "" } = groups;
    // Functions of one file may use one name for different paths: the last one above counts.
    const valueOf = (wanted: string): string | undefined =>
      constants.findLast((constant) => constant[1] === wanted && constant.index < index)?.[2];
    const path = said ?? made?.replaceAll(/\$\{(\w+)\}/g, (_whole, inner: string) => valueOf(inner) ?? "?");
    const paths = [path ?? valueOf(name) ?? variables[name] ?? "?"].flat();
    assert.ok(!paths.join().includes("?"), `the path of ${method} ${made ?? name} of ${file} is known`);
    return paths.map((each) => ({ method: method.toUpperCase(), path: each }));
  });
}
