/** What scripts install beside the lock file. */
import type { Rule } from "../finding.ts";
import { nodeAt } from "../tree.ts";

/** Each matches one command; the words after it are what is installed. */
const installs: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  { pattern: /\bnpm\s+(?:install|i|add)\s+(?:-{1,2}[\w-]+\s+)*(?![-&|;])[@\w][^\s;&|]*/g, instead: "npm ci" },
  {
    pattern: /\bpnpm\s+(?:add|dlx)\s+(?:-{1,2}[\w-]+\s+)*(?![-&|;])[@\w][^\s;&|]*/g,
    instead: "pnpm install --frozen-lockfile",
  },
  { pattern: /\byarn\s+(?:global\s+)?add\s+[@\w][^\s;&|]*/g, instead: "yarn install --immutable" },
  { pattern: /\bgem\s+install\s+(?:-{1,2}[\w-]+\s+)*[a-zA-Z][^\s;&|]*/g, instead: "bundle install" },
  { pattern: /\bbundle\s+add\s+[a-zA-Z][^\s;&|]*/g, instead: "bundle install" },
];

export const adhocPackages: Rule = {
  name: "adhoc-packages",
  summary: "A package that no lock file holds to a version",
  severity: "note",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const step of document.steps) {
      const node = nodeAt(step.node, "run");
      if (step.run === undefined || node === undefined) continue;
      for (const { pattern, instead } of installs) {
        for (const [command] of step.run.matchAll(pattern)) {
          yield {
            at: node.start,
            message: `"${command}" installs whatever is newest, it or what it needs. Add it to the lock file and use "${instead}"`,
          };
        }
      }
    }
  },
};
