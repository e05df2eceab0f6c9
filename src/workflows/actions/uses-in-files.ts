/** Which actions and workflows of other repositories files name, and where. */
import type { Location } from "#lib";
import { readYamlTree, type YamlNode } from "../parse/yaml-tree.ts";
import type { WorkflowText } from "../parse/workflow-file.ts";
import { parseActionReference, type ActionReference } from "./reference.ts";

export interface PlacedReference {
  readonly uses: string;
  readonly reference: ActionReference;
  readonly at: Required<Location>;
}

/** Files that are not YAML name nothing: what is wrong with them is told elsewhere. */
export function usesInFiles(files: readonly WorkflowText[]): readonly PlacedReference[] {
  return files.flatMap(({ path, text }) => {
    const found: PlacedReference[] = [];
    const root = readYamlTree(path, text).value;
    if (root?.kind !== "mapping") return [];
    for (const { key, value } of root.pairs) {
      if (key.value === "jobs" || key.value === "runs") collect(path, value, found);
    }
    return found;
  });
}

/** What is below `with` and `env` is the action's, whatever its keys are called. */
const opaque: ReadonlySet<string> = new Set(["with", "env", "secrets", "outputs"]);

function collect(file: string, node: YamlNode, found: PlacedReference[]): void {
  if (node.kind === "sequence") for (const item of node.items) collect(file, item, found);
  if (node.kind !== "mapping") return;
  for (const { key, value } of node.pairs) {
    if (opaque.has(key.value)) continue;
    if (key.value !== "uses" || value.kind !== "scalar") {
      collect(file, value, found);
      continue;
    }
    const uses = String(value.value ?? "");
    const reference = parseActionReference(uses);
    if (reference !== undefined) found.push({ uses, reference, at: { file, ...value.start } });
  }
}

/** Local actions and workflows that a file names: `./path` and `$/path`. */
export function isActionFile(path: string): boolean {
  return /(?:^|\/)action\.ya?ml$/.test(path);
}
