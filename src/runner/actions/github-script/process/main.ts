/**
 * The process that runs one script of `actions/github-script`: GitHub's own client and toolkit, the names that scripts
 * expect, and nothing of ours. It is told what to do as every action is, by `INPUT_…` and the `GITHUB_…` variables.
 */
import { createRequire } from "node:module";
import { resolve } from "node:path";
import * as core from "@actions/core";
import * as exec from "@actions/exec";
import { context, getOctokit } from "@actions/github";
import * as glob from "@actions/glob";
import * as io from "@actions/io";
import { requestLog } from "@octokit/plugin-request-log";
import { retry } from "@octokit/plugin-retry";

process.on("unhandledRejection", fail);
await run().catch(fail);

async function run(): Promise<void> {
  const token = core.getInput("github-token", { required: true });
  const github = getOctokit(token, clientOptions(), retry, requestLog);
  const names = { github, octokit: github, context, core, exec, glob, io };
  const requires = { require: workspaceRequire(), __original_require__: createRequire(import.meta.url) };
  const scope: Record<string, unknown> = { ...requires, ...names };
  const script = core.getInput("script", { required: true });
  const result = await asyncFunction(Object.keys(scope), script)(...Object.values(scope));
  core.setOutput("result", encoded(result));
}

function clientOptions(): NonNullable<Parameters<typeof getOctokit>[1]> {
  const previews = core.getInput("previews");
  const baseUrl = core.getInput("base-url");
  const userAgent = core.getInput("user-agent");
  const retries = Number.parseInt(core.getInput("retries"), 10);
  const exempt = core.getInput("retry-exempt-status-codes");
  const doNotRetry = exempt === "" ? [] : exempt.split(",").map((code) => Number.parseInt(code, 10));
  const repeats = retries > 0;
  return {
    ...(core.getBooleanInput("debug") ? { log: console } : {}),
    ...(userAgent === "" ? {} : { userAgent }),
    ...(previews === "" ? {} : { previews: previews.split(",") }),
    ...(baseUrl === "" ? {} : { baseUrl }),
    retry: { enabled: repeats, ...(repeats && doNotRetry.length > 0 ? { doNotRetry } : {}) },
    ...(repeats ? { request: { retries } } : {}),
  };
}

type Script = (...values: readonly unknown[]) => Promise<unknown>;

/** The body of an async function, with `await` and `return` as scripts use them. */
function asyncFunction(names: readonly string[], source: string): Script {
  const AsyncFunction = Object.getPrototypeOf(asyncFunctionOf).constructor as new (...parts: string[]) => Script;
  return new AsyncFunction(...names, source);
}

async function asyncFunctionOf(): Promise<void> {
  await Promise.resolve();
}

/** `require` as if the script were a file of the workspace: its modules, and `./` from its root. */
function workspaceRequire(): NodeJS.Require {
  const own = createRequire(resolve("script.cjs"));
  return new Proxy(own, {
    apply: (target, _this, [id]: [string]): unknown => target(id.startsWith(".") ? resolve(id) : id),
  });
}

function encoded(result: unknown): unknown {
  const encoding = core.getInput("result-encoding") || "json";
  if (encoding === "json") return JSON.stringify(result);
  if (encoding === "string") return String(result);
  throw new Error('"result-encoding" must be either "string" or "json"');
}

function fail(error: unknown): void {
  console.error(error);
  core.setFailed(`Unhandled error: ${String(error)}`);
}
