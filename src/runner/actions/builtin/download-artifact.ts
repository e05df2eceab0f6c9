/** `actions/download-artifact`: of this run, or with a token of another one. */
import { isAbsolute, join } from "node:path";
import picomatch from "picomatch";
import { joinInside } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import type { ArtifactFacts, ArtifactSource } from "../artifacts/artifact-source.ts";
import { fetchArtifact } from "../artifacts/fetch-artifact.ts";
import { otherRun } from "../artifacts/other-run.ts";
import { ownRun } from "../artifacts/own-run.ts";

const mismatchBehaviours = ["ignore", "info", "warn", "error"];

export const downloadArtifact: BuiltinAction = {
  name: "actions/download-artifact",
  inputs: {
    name: "",
    "artifact-ids": "",
    path: "",
    pattern: "",
    "merge-multiple": "false",
    "github-token": "",
    repository: "",
    "run-id": "",
    "skip-decompress": "false",
    "digest-mismatch": "error",
  },
  versions: {
    "artifact-ids": { since: 4 },
    pattern: { since: 4 },
    "merge-multiple": { since: 4 },
    "github-token": { since: 4 },
    repository: { since: 4 },
    "run-id": { since: 4 },
    "skip-decompress": { since: 8 },
    "digest-mismatch": { since: 8 },
  },
  sensitive: ["github-token"],
  async main(call) {
    try {
      await download(call);
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      throw new StepFailure(`Unable to download artifact(s): ${error.message}`, error);
    }
  },
};

async function download(call: ActionCall): Promise<void> {
  // Earlier versions only warn.
  const mismatch = call.major < 8 ? "warn" : call.text("digest-mismatch") || "error";
  const packed = call.flag("skip-decompress");
  const merges = call.flag("merge-multiple");
  if (!mismatchBehaviours.includes(mismatch)) {
    throw new StepFailure(
      `Invalid value for 'digest-mismatch': '${mismatch}'. Valid options are: ${mismatchBehaviours.join(", ")}`,
    );
  }
  if (call.text("name") !== "" && call.text("artifact-ids") !== "") {
    throw new StepFailure("Inputs 'name' and 'artifact-ids' cannot be used together. Please specify only one.");
  }
  const folder = destination(call);
  const source = sourceOf(call);
  const artifacts = await choose(call, source);
  if (artifacts.length > 0) call.log("Preparing to download the following artifacts:");
  for (const { name, id, size, digest } of artifacts) {
    call.log(`- ${name} (ID: ${id}, Size: ${size}, Expected Digest: ${digest ?? "undefined"})`);
  }
  // Version 4 puts the only one that fits into its folder as well.
  const alone = artifacts.length === 1 && call.major > 4;
  const together = call.text("name") !== "" || merges || alone;
  const differing: string[] = [];
  for (const artifact of artifacts) {
    const own = together ? folder : joinInside(folder, artifact.name);
    if (own === undefined) throw new StepFailure(`Artifact name "${artifact.name}" cannot be a folder`);
    if (!(await fetchArtifact(call, source, artifact, { folder: own, packed }))) differing.push(artifact.name);
  }
  sayMismatches(call, differing, mismatch);
  call.log(`Total of ${artifacts.length} artifact(s) downloaded`);
  call.setOutput("download-path", folder);
  call.log("Download artifact has finished successfully");
}

function destination(call: ActionCall): string {
  const { workspace } = call.parts.folders;
  const given = call.text("path");
  const path = given.startsWith("~") ? `${call.env("HOME")}${given.slice(1)}` : given;
  const whole = isAbsolute(path) ? path : join(workspace, path);
  return whole.length > 1 ? whole.replace(/\/+$/, "") : whole;
}

function sourceOf(call: ActionCall): ArtifactSource {
  const token = call.text("github-token");
  if (token === "") return ownRun(call);
  const repository = call.gave("repository") ? call.text("repository") : call.parts.assignment.repository;
  const [owner = "", name = ""] = repository.split("/");
  if (owner === "" || name === "") {
    throw new StepFailure(`Invalid repository: '${repository}'. Must be in format owner/repo`);
  }
  const own = call.github("run_id") || call.parts.assignment.runId;
  const runId = call.gave("run-id") ? String(Number.parseInt(call.text("run-id"), 10)) : own;
  return otherRun(call, { repository: `${owner}/${name}`, runId, token });
}

async function choose(call: ActionCall, source: ArtifactSource): Promise<readonly ArtifactFacts[]> {
  const name = call.text("name");
  if (name !== "") {
    call.log("Downloading single artifact");
    const found = await source.find(name);
    if (found !== undefined) return [found];
    throw new StepFailure(
      `Artifact not found for name: ${name}. Check that a job before this one uploads it, that it has not expired, and for another run that run-id and github-token are given`,
    );
  }
  if (call.text("artifact-ids") !== "") return await chooseByIds(call, source);
  const artifacts = await source.list();
  call.log(`Found ${artifacts.length} artifact(s)`);
  const pattern = call.text("pattern");
  if (pattern !== "") {
    call.log(`Filtering artifacts by pattern '${pattern}'`);
    const matches = picomatch(pattern);
    return artifacts.filter((artifact) => matches(artifact.name));
  }
  call.log("No input name, artifact-ids or pattern filtered specified, downloading all artifacts");
  if (!call.isTrue("merge-multiple")) {
    call.log("An extra directory with the artifact name will be created for each download");
  }
  return artifacts;
}

async function chooseByIds(call: ActionCall, source: ArtifactSource): Promise<readonly ArtifactFacts[]> {
  call.log("Downloading artifacts by ID");
  const words = call
    .text("artifact-ids")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
  if (words.length === 0) throw new StepFailure("No valid artifact IDs provided in 'artifact-ids' input");
  const ids = words.map((word) => {
    const id = Number.parseInt(word, 10);
    if (Number.isNaN(id)) throw new StepFailure(`Invalid artifact ID: '${word}'. Must be a number.`);
    return id;
  });
  const listed = await source.list();
  call.log(`Found ${listed.length} artifact(s)`);
  const artifacts = listed.filter((artifact) => ids.includes(artifact.id));
  if (artifacts.length === 0) throw new StepFailure("None of the provided artifact IDs were found");
  const missing = ids.filter((id) => !artifacts.some((artifact) => artifact.id === id));
  if (missing.length > 0) call.warn(`Could not find the following artifact IDs: ${missing.join(", ")}`);
  return artifacts;
}

function sayMismatches(call: ActionCall, names: readonly string[], behaviour: string): void {
  if (behaviour === "error" && names.length > 0) {
    throw new StepFailure(
      `Digest validation failed for artifact(s): ${names.join(", ")}. Use 'digest-mismatch: warn' to continue on mismatch.`,
    );
  }
  for (const name of names) {
    const message = `Artifact '${name}' digest validation failed. Please verify the integrity of the artifact.`;
    if (behaviour === "info") call.log(message);
    if (behaviour === "warn") call.warn(message);
  }
}
