/** `docker/metadata-action`. */
import { join } from "node:path";
import { isObject, writeFileAtomic } from "#lib";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { parseFlavor, parseImages, parseTagRules } from "../metadata/options.ts";
import { planMetadata, type ImageMetadata, type MetadataFacts } from "../metadata/plan-metadata.ts";

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
  async main(call) {
    const images = parseImages(call.list("images"));
    const rules = parseTagRules(call.list("tags"));
    const flavor = parseFlavor(call.list("flavor"));
    const facts = factsOf(call);
    const metadata = planMetadata({ images, rules, flavor, labels: call.list("labels") }, facts);
    // What labels add of their own is not annotated.
    const annotated = planMetadata({ images, rules, flavor, labels: call.list("annotations") }, facts);
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

/** The run's own context; the commit's time stands for the build's, so that a re-run gives the same image. */
function factsOf(call: ActionCall): MetadataFacts {
  const event = call.parts.assignment.contexts.github["event"];
  const repository = field(event, "repository");
  const now = call.parts.clock.now();
  const name = call.parts.assignment.repository;
  const ref = call.github("ref");
  const baseRef = ref.startsWith("refs/tags/")
    ? text(event, "base_ref").replace(/^refs\/heads\//, "")
    : text(field(field(event, "pull_request"), "base"), "ref");
  return {
    eventName: call.github("event_name"),
    ref,
    sha: call.github("sha"),
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
