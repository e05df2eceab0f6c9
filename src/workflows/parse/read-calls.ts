/** `uses:` of a job: a call of another workflow. What it calls is linked later, see `link/`. */
import { isObject, type Location } from "#lib";
import type { WorkflowCall } from "./model.ts";
import type { NodeReader } from "./node-reader.ts";
import type { YamlNode } from "./yaml-tree.ts";

const localCall = /^\.\/\.(github|forgejo|gitea)\/workflows\/[^/@\s]+\.ya?ml$/;
const remoteCall =
  /^(?:https?:\/\/[^/\s]+\/)?(?!\.{1,2}\/)[\w.-]+\/(?!\.{1,2}\/)[\w.-]+\/\.(?:github|forgejo|gitea)\/workflows\/[^/@\s]+\.ya?ml@\S+$/;

export function readCall(reader: NodeReader, job: YamlNode): WorkflowCall | undefined {
  const pair = reader.pair(job, "uses");
  const uses = reader.name(pair?.value);
  if (pair === undefined || uses === undefined) return undefined;
  if (!remoteCall.test(uses) && !localCall.test(uses)) {
    const remedy = 'Write "./.github/workflows/file.yml" or "owner/repository/.github/workflows/file.yml@ref"';
    reader.error(pair.value, `"${uses}" is not a reference to a workflow. ${remedy}`, "uses");
  }
  const given = reader.get(job, "with");
  const values = given === undefined ? {} : reader.json(given);
  const secrets = reader.get(job, "secrets");
  return {
    uses,
    with: isObject(values) ? values : {},
    secrets: reader.text(secrets) === "inherit" ? "inherit" : reader.record(secrets),
    at: reader.at(pair.value.start),
    places: { ...places(reader, job, "with"), ...places(reader, job, "secrets") },
  };
}

function places(reader: NodeReader, job: YamlNode, key: "with" | "secrets"): Record<string, Location> {
  const pairs = reader.pairs(reader.get(job, key));
  return Object.fromEntries(pairs.map((pair) => [`${key}.${pair.key.value}`, reader.at(pair.value.start)]));
}
