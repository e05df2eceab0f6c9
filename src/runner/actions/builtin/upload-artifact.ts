/** `actions/upload-artifact` and `actions/upload-artifact/merge`. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import picomatch from "picomatch";
import { joinInside } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { findFiles } from "../artifacts/find-files.ts";
import { fetchArtifact } from "../artifacts/fetch-artifact.ts";
import { artifactServices, backendIds, ownRun } from "../artifacts/own-run.ts";
import { uploadArtifact, type UploadOptions } from "../artifacts/upload-artifact.ts";

const common = { "retention-days": "", "compression-level": "6", "include-hidden-files": "false" };

export const uploadArtifactAction: BuiltinAction = {
  name: "actions/upload-artifact",
  inputs: {
    name: "artifact",
    path: "",
    "if-no-files-found": "warn",
    overwrite: "false",
    archive: "true",
    ...common,
  },
  versions: { archive: { since: 7 } },
  async main(call) {
    const path = call.required("path");
    const absence = call.text("if-no-files-found");
    if (!["warn", "error", "ignore"].includes(absence)) {
      throw new StepFailure(
        `Unrecognized if-no-files-found input. Provided: ${absence}. Available options: warn,error,ignore`,
      );
    }
    const options = { ...optionsOf(call), name: call.text("name"), archive: call.flag("archive") };
    const found = await findFiles(call, path.split("\n"), call.flag("include-hidden-files"));
    const { length: count } = found.files;
    if (count === 0) return sayNone(call, absence, path);
    call.log(`With the provided path, there will be ${count} file${count === 1 ? "" : "s"} uploaded`);
    if (!options.archive && count > 1) {
      throw new StepFailure(
        `When 'archive' is set to false, only a single file can be uploaded. Found ${count} files to upload.`,
      );
    }
    if (call.flag("overwrite")) await removeExisting(call, options.name);
    await uploadArtifact(call, found, options);
  },
};

export const mergeArtifacts: BuiltinAction = {
  name: "actions/upload-artifact/merge",
  inputs: {
    name: "merged-artifacts",
    pattern: "*",
    "separate-directories": "false",
    "delete-merged": "false",
    ...common,
  },
  async main(call) {
    const name = call.required("name");
    const pattern = call.required("pattern");
    const source = ownRun(call);
    const listed = await source.list();
    call.log(`Found ${listed.length} artifact(s)`);
    const matches = picomatch(pattern);
    const artifacts = listed.filter((artifact) => matches(artifact.name));
    if (artifacts.length === 0) throw new StepFailure(`No artifacts found matching pattern '${pattern}'`);
    call.log("Preparing to download the following artifacts:");
    for (const { name: one, id, size } of artifacts) call.log(`- ${one} (ID: ${id}, Size: ${size})`);
    const folder = join(call.parts.folders.temp, `merge-artifact-${call.parts.ids.uuid()}`);
    await mkdir(folder, { recursive: true });
    try {
      for (const artifact of artifacts) {
        const inside = call.flag("separate-directories") ? joinInside(folder, artifact.name) : folder;
        await fetchArtifact(call, source, artifact, { folder: inside ?? folder, packed: false });
      }
      const found = await findFiles(call, [folder], call.flag("include-hidden-files"));
      await uploadArtifact(call, found, { ...optionsOf(call), name, archive: true });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    call.log(`The ${artifacts.length} artifact(s) have been successfully merged!`);
    if (!call.flag("delete-merged")) return;
    for (const artifact of artifacts) await remove(call, artifact.name);
    call.log(`The ${artifacts.length} artifact(s) have been deleted`);
  },
};

function optionsOf(call: ActionCall): Pick<UploadOptions, "retentionDays" | "compressionLevel"> {
  const days = call.text("retention-days");
  const retentionDays = days === "" ? 0 : Number.parseInt(days, 10);
  if (Number.isNaN(retentionDays)) throw new StepFailure("Invalid retention-days");
  const level = call.text("compression-level");
  const compressionLevel = level === "" ? 6 : Number.parseInt(level, 10);
  if (Number.isNaN(compressionLevel)) throw new StepFailure("Invalid compression-level");
  if (compressionLevel < 0 || compressionLevel > 9) {
    throw new StepFailure("Invalid compression-level. Valid values are 0-9");
  }
  return { retentionDays, compressionLevel };
}

function sayNone(call: ActionCall, behaviour: string, path: string): void {
  const message = `No files were found with the provided path: ${path}. No artifacts will be uploaded.`;
  if (behaviour === "error") throw new StepFailure(message);
  if (behaviour === "warn") call.warn(message);
  else call.log(message);
}

async function removeExisting(call: ActionCall, name: string): Promise<void> {
  if ((await ownRun(call).find(name)) !== undefined) await remove(call, name);
}

async function remove(call: ActionCall, name: string): Promise<void> {
  const answer = await artifactServices(call).twirp("ArtifactService", "DeleteArtifact", { ...backendIds(call), name });
  call.log(`Artifact '${name}' (ID: ${String(answer["artifact_id"])}) deleted`);
}
