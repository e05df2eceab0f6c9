/** The runner of workflow jobs: a process of its own that speaks with control over HTTP and runs steps as processes. */
export { createRunner, type Runner, type RunnerOptions } from "./runner.ts";
export { isBuiltIn } from "./actions/registry-of-builtins.ts";
export { parseRunnerConfig, type RunnerConfig } from "./process/config.ts";
