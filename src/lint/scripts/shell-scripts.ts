/** The scripts of a file that other programs can read: those of bash, sh and Python. Pure. */
import type { YamlNode } from "#workflows";
import type { LintDocument, LintStep } from "../document.ts";
import { nodeAt, textOf, textsOf } from "../tree.ts";

export type Shell = "bash" | "sh" | "python";

export interface ShellScript {
  readonly document: LintDocument;
  /** The value of `run:`. */
  readonly node: ScriptNode;
  readonly shell: Shell;
  /** As long as the value of the node, so that places in one are places in the other. */
  readonly text: string;
}

export type ScriptNode = Extract<YamlNode, { kind: "scalar" }> & { readonly value: string };

export function shellScripts(document: LintDocument): readonly ShellScript[] {
  return document.steps.flatMap((step): readonly ShellScript[] => {
    const node = nodeAt(step.node, "run");
    if (node?.kind !== "scalar" || typeof node.value !== "string") return [];
    const shell = shellOf(document, step);
    if (shell === undefined) return [];
    return [{ document, node: { ...node, value: node.value }, shell, text: withoutExpressions(node.value) }];
  });
}

/** Undefined: PowerShell, something that only an expression knows. */
function shellOf(document: LintDocument, step: LintStep): Shell | undefined {
  const places = [step.node, ...[step.job?.node, document.root].map((owner) => nodeAt(owner, "defaults", "run"))];
  const said = places.map((owner) => textOf(nodeAt(owner, "shell"))).find((text) => text !== undefined);
  if (said === undefined) return isWindows(step) ? undefined : "bash";
  const [program = ""] = said.trim().toLowerCase().split(/\s/);
  if (program === "python3") return "python";
  return program === "bash" || program === "sh" || program === "python" ? program : undefined;
}

/** There PowerShell is what runs scripts that name no shell. */
function isWindows(step: LintStep): boolean {
  const node = nodeAt(step.job?.node, "runs-on");
  const labels = node?.kind === "mapping" ? textsOf(nodeAt(node, "labels")) : textsOf(node);
  return labels.some((label) => /^windows(?:-|$)/i.test(label));
}

/**
 * Each `${{ … }}` as underscores, which every place of a script takes: as a word, within quotes, as a name. Blanks would
 * leave `if ${{ … }}; then` without a command.
 */
export function withoutExpressions(script: string): string {
  return script.replaceAll(/\$\{\{[\s\S]*?\}\}/g, (expression) => "_".repeat(expression.length));
}
