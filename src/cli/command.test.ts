import assert from "node:assert/strict";
import { test } from "node:test";
import { command } from "./command.ts";

/** What the inner command is told by these words; both it and its outer command know `-n` and `--json`. */
async function toldBy(words: readonly string[]): Promise<Record<string, unknown>> {
  let told: Record<string, unknown> = {};
  const outer = command("apps", "outer", []).argument("[name]").option("-n, --namespace <name>", "", "argocd");
  outer.action(() => assert.fail("the outer command ran"));
  const inner = command("diff", "inner", []).argument("<name>").option("-n, --namespace <name>", "", "argocd");
  inner.action((_name: string, options: Record<string, unknown>) => {
    told = options;
  });
  outer.addCommand(inner);
  await outer.parseAsync(words, { from: "user" });
  return told;
}

const cases = [
  { words: "diff shop", told: { namespace: "argocd" } },
  { words: "diff shop --json -n team", told: { namespace: "team", json: true } },
  { words: "--json -n team diff shop", told: { namespace: "team", json: true } },
  { words: "diff shop --home there", told: { namespace: "argocd", home: "there" } },
];
for (const { words, told } of cases) {
  test(`an inner command hears its options wherever they stand: ${words}`, async () => {
    assert.deepEqual(await toldBy(words.split(" ")), told);
  });
}
