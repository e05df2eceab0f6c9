import { globSync } from "node:fs";
import { join } from "node:path";
import { root } from "./steps.ts";

function find(patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).sort();
}

/** Tests that touch no process, socket or disk of note: run together in one process, which also proves it. */
export function pureTests(): string[] {
  return find([
    "src/**/*.test.ts",
    "tools/**/*.test.ts",
    "test/support/**/*.test.ts",
    "console/src/**/*.test.ts",
  ]).filter((file) => !file.endsWith(".process.test.ts") && !file.includes("testdata"));
}

export const pureTestOptions = ["--test-isolation=none", "--import", join(root, "test/support/property-seed.ts")];

/** Tests with real servers, files, git and children: each file in a process of its own. */
export function processTests(): string[] {
  return find(["src/**/*.process.test.ts", "test/process/**/*.process.test.ts"]);
}

/** Stories against real clients. */
export function stories(): string[] {
  return find(["test/e2e/**/*.story.test.ts"]);
}
