/** Runs named commands in order with their output passed through; the scripts of package.json are lists of these. */
import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";

export const root = join(import.meta.dirname, "..");

export interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs every step, even after a failure, and returns the names of those that failed. */
export function runSteps(steps: readonly Step[]): string[] {
  const failed: string[] = [];
  for (const step of steps) {
    const started = performance.now();
    const path = join(root, "node_modules", ".bin") + delimiter + (process.env["PATH"] ?? "");
    const env = {
      ...process.env,
      PATH: path,
      NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "node"),
      ...step.env,
    };
    const result = spawnSync(step.command, step.args, { cwd: root, stdio: "inherit", env });
    const ok = result.status === 0;
    if (!ok) failed.push(step.name);
    console.error(`${ok ? "ok  " : "FAIL"} ${step.name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  }
  return failed;
}

export function finish(failed: readonly string[]): never {
  if (failed.length > 0) console.error(`Failed: ${failed.join(", ")}`);
  process.exit(failed.length === 0 ? 0 : 1);
}
