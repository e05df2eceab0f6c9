/**
 * Built-in actions take the inputs of the official ones: of each version, by the same names, with the same defaults and
 * the same words about what is going. TIDEGATE_ACTION_BUNDLES names a folder with the repositories of the actions.
 */
import { deepEqual } from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { inputsAt } from "../../../src/runner/actions/builtin-action.ts";
import { findBuiltin } from "../../../src/runner/actions/registry-of-builtins.ts";
import { run } from "../../support/run-command.ts";

const bundles = process.env["TIDEGATE_ACTION_BUNDLES"] ?? "";

/** The first version from which on all are compared. Those before it are gone from GitHub, or are of another kind. */
const actions: Readonly<Record<string, number>> = {
  "actions/checkout": 2,
  "actions/cache": 2,
  "actions/cache/restore": 3,
  "actions/cache/save": 3,
  "actions/setup-node": 3,
  "actions/setup-python": 2,
  "actions/setup-go": 3,
  "actions/setup-java": 4,
  "actions/upload-artifact": 4,
  "actions/upload-artifact/merge": 4,
  "actions/download-artifact": 4,
  "actions/github-script": 6,
  "aws-actions/configure-aws-credentials": 4,
  "aws-actions/amazon-ecr-login": 1,
  "docker/login-action": 3,
  "docker/metadata-action": 4,
  "docker/build-push-action": 4,
  "docker/setup-buildx-action": 3,
  "docker/setup-qemu-action": 3,
};

interface Manifest {
  readonly inputs?: Readonly<
    Record<string, { readonly default?: string | number | boolean | null; readonly deprecationMessage?: string } | null>
  >;
}

interface Told {
  readonly default: string;
  readonly deprecation: string | undefined;
}

/** Defaults that read contexts are ours to know. */
function official({ inputs = {} }: Manifest): Record<string, Told> {
  const entries = Object.entries(inputs).map(([name, input]) => {
    const usual = String(input?.default ?? "");
    const told = { default: usual.includes("${{") ? "" : usual, deprecation: input?.deprecationMessage };
    return [name, told];
  });
  return Object.fromEntries(entries) as Record<string, Told>;
}

function ours(name: string, major: number): Record<string, Told> {
  const builtin = findBuiltin(name);
  const inputs = builtin === undefined ? [] : inputsAt(builtin, major);
  return Object.fromEntries(
    inputs.map((input) => [input.name, { default: input.default, deprecation: input.deprecation }]),
  );
}

const git = async (repository: string, args: readonly string[]): Promise<string> => {
  const { stdout } = await run("git", ["-C", repository, "-c", "safe.directory=*", ...args], {
    env: { PATH: process.env["PATH"] ?? "" },
  });
  return stdout;
};

const skip = existsSync(join(bundles, "actions", "checkout"))
  ? false
  : "TIDEGATE_ACTION_BUNDLES names no folder of actions";

describe(
  "Given what official actions say of their inputs",
  { skip: bundles === "" ? "no TIDEGATE_ACTION_BUNDLES" : skip },
  () => {
    for (const [name, first] of Object.entries(actions)) {
      const [owner = "", repository = "", ...inside] = name.split("/");
      const folder = join(bundles, owner, repository);
      test(`${name} takes the same`, { skip: existsSync(folder) ? false : `${folder} is not there` }, async () => {
        const tags = (await git(folder, ["tag"])).split("\n").filter((tag) => /^v\d+$/.test(tag));
        for (const tag of tags.filter((one) => Number(one.slice(1)) >= first)) {
          const text = await git(folder, ["show", `${tag}:${[...inside, "action.yml"].join("/")}`]);
          deepEqual(ours(name, Number(tag.slice(1))), official(parse(text) as Manifest), tag);
        }
      });
    }
  },
);
