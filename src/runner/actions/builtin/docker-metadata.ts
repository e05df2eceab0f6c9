/** `docker/metadata-action`. */
import { join } from "node:path";
import { isObject, writeFileAtomic } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { gitContext } from "../metadata/git-context.ts";
import { parseFlavor, parseImages, parseTagRules } from "../metadata/options.ts";
import { planMetadata, type ImageMetadata, type MetadataFacts } from "../metadata/plan-metadata.ts";

const usualShortLength = 7;

export const dockerMetadata: BuiltinAction = {
  name: "docker/metadata-action",
  inputs: {
    context: "workflow",
    images: "",
    tags: "",
    flavor: "",
    labels: "",
    annotations: "",
    "sep-tags": "",
    "sep-labels": "",
    "sep-annotations": "",
    "bake-target": "",
    "github-token": "",
  },
  versions: { context: { since: 4 }, annotations: { since: 5 }, "sep-annotations": { since: 5 } },
  async main(call) {
    const facts = await contextOf(call);
    const images = parseImages(written(call, "images"));
    const rules = parseTagRules(written(call, "tags"));
    const flavor = parseFlavor(written(call, "flavor"));
    const metadata = planMetadata({ images, rules, flavor, labels: written(call, "labels") }, facts);
    // What labels add of their own is not annotated.
    const annotated = planMetadata({ images, rules, flavor, labels: written(call, "annotations") }, facts);
    for (const warning of metadata.warnings) call.warn(warning);
    if (metadata.version === "") call.warn("No Docker image version has been generated. Check tags input.");
    if (metadata.tags.length === 0) call.warn("No Docker tag has been generated. Check tags input.");
    const annotations = report(call, metadata, annotated.labels);
    await writeBakeFiles(call, metadata, { annotations, images });
  },
};

function report(call: ActionCall, metadata: ImageMetadata, annotated: ImageMetadata["labels"]): readonly string[] {
  const labels = metadata.labels.map(([key, value]) => `${key}=${value}`);
  const kind = call.parts.assignment.contexts.env["DOCKER_METADATA_ANNOTATIONS_LEVELS"] ?? "manifest";
  const annotations = kind.split(",").flatMap((level) => annotated.map(([key, value]) => `${level}:${key}=${value}`));
  call.step.output.group("Docker image version", [metadata.version]);
  call.step.output.group("Docker tags", metadata.tags);
  call.step.output.group("Docker labels", labels);
  call.step.output.flush();
  const outputs = {
    version: metadata.version,
    tags: metadata.tags.join(separator(call, "sep-tags")),
    "tag-names": metadata.tagNames.join(separator(call, "sep-tags")),
    labels: labels.join(separator(call, "sep-labels")),
    annotations: annotations.join(separator(call, "sep-annotations")),
    json: JSON.stringify({
      tags: metadata.tags,
      "tag-names": metadata.tagNames,
      labels: Object.fromEntries(metadata.labels),
      annotations,
    }),
  };
  for (const [name, value] of Object.entries(outputs)) {
    call.setOutput(name, value);
    call.step.scope.job.env.set(`DOCKER_METADATA_OUTPUT_${name.replaceAll(/\W/g, "_").toUpperCase()}`, value);
  }
  return annotations;
}

/** As it was written, blanks and all. */
function separator(call: ActionCall, name: string): string {
  return call.inputs[name] || "\n";
}

/** What `docker buildx bake` takes, for whoever has it. */
async function writeBakeFiles(
  call: ActionCall,
  { tags, labels, version }: ImageMetadata,
  { annotations, images }: { readonly annotations: readonly string[]; readonly images: readonly string[] },
): Promise<void> {
  const folder = join(call.parts.folders.temp, `docker-metadata-${call.parts.ids.suffix(6)}`);
  const args = { DOCKER_META_IMAGES: images.join(","), DOCKER_META_VERSION: version };
  const labelled = { labels: Object.fromEntries(labels) };
  const files: Readonly<Record<string, object>> = {
    "bake-file-tags": { tags, args },
    "bake-file-labels": labelled,
    "bake-file-annotations": { annotations },
    "bake-file": { tags, ...labelled, args },
  };
  for (const [output, target] of Object.entries(files)) {
    const path = join(folder, `docker-metadata-action-${output.replace("bake-file", "bake")}.json`);
    await writeFileAtomic(
      path,
      JSON.stringify({ target: { [call.text("bake-target") || "docker-metadata-action"]: target } }, undefined, 2),
    );
    call.setOutput(output, path);
    call.exportVariable(`DOCKER_METADATA_OUTPUT_${output.replaceAll("-", "_").toUpperCase()}`, path);
  }
}

/** Without the lines that are comments. */
function written(call: ActionCall, name: string): readonly string[] {
  return call.list(name).filter((line) => !line.startsWith("#"));
}

async function contextOf(call: ActionCall): Promise<MetadataFacts> {
  const facts = factsOf(call);
  const source = call.text("context") || "workflow";
  if (source === "workflow") return facts;
  if (source !== "git") throw new StepFailure(`Invalid context source: ${source}`);
  const { ref, sha, commitDate } = await gitContext(call);
  return { ...facts, ref, sha, commitDate: instant(commitDate) ?? facts.commitDate };
}

/** The run's own context; the commit's time stands for the build's, so that a re-run gives the same image. */
function factsOf(call: ActionCall): MetadataFacts {
  const event = call.parts.assignment.contexts.github["event"];
  const repository = field(event, "repository");
  const now = call.parts.clock.now();
  const name = call.parts.assignment.repository;
  const eventName = call.github("event_name");
  const number = field(event, "number");
  // Whose merge is meant, and not the branch that it is to go to.
  const ref = eventName.includes("pull_request_target") ? `refs/pull/${String(number)}/merge` : call.github("ref");
  const head = text(field(field(event, "pull_request"), "head"), "sha");
  const ofHead = /true/i.test(call.env("DOCKER_METADATA_PR_HEAD_SHA")) && eventName.includes("pull_request");
  const baseRef = ref.startsWith("refs/tags/")
    ? text(event, "base_ref").replace(/^refs\/heads\//, "")
    : text(field(field(event, "pull_request"), "base"), "ref");
  return {
    eventName,
    ref,
    sha: ofHead && head !== "" ? head : call.github("sha"),
    shortShaLength: shortLength(call),
    baseRef,
    defaultBranch: text(repository, "default_branch"),
    now,
    commitDate: instant(text(field(event, "head_commit"), "timestamp")) ?? now,
    repository: {
      name: text(repository, "name") || (name.split("/").at(-1) ?? name),
      description: text(repository, "description"),
      url: text(repository, "html_url") || `${call.parts.assignment.services.serverUrl}/${name}`,
      license: text(field(repository, "license"), "spdx_id"),
    },
  };
}

function shortLength(call: ActionCall): number {
  const given = call.env("DOCKER_METADATA_SHORT_SHA_LENGTH");
  const length = given === "" ? usualShortLength : Number(given);
  if (Number.isNaN(length)) throw new StepFailure(`DOCKER_METADATA_SHORT_SHA_LENGTH is not a valid number: ${given}`);
  return length;
}

function field(value: unknown, key: string): unknown {
  return isObject(value) ? value[key] : undefined;
}

function text(value: unknown, key: string): string {
  const found = field(value, key);
  return typeof found === "string" ? found : "";
}

function instant(value: string): Temporal.Instant | undefined {
  try {
    return Temporal.Instant.from(value);
  } catch {
    return undefined;
  }
}
