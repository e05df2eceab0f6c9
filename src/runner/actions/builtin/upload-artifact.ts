/** `actions/upload-artifact` and `actions/upload-artifact/merge`. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import picomatch from "picomatch";
import { joinInside } from "#lib";
import { StepFailure, ToldFailure } from "../../errors.ts";
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
  versions: {
    overwrite: { since: 4 },
    "compression-level": { since: 4 },
    "include-hidden-files": { since: 3 },
    archive: { since: 7 },
  },
  async main(call) {
    const path = call.required("path");
    const flags = { overwrite: call.flag("overwrite"), hidden: call.flag("include-hidden-files") };
    const archive = call.flag("archive");
    const absence = call.text("if-no-files-found");
    const behaviours = ["warn", "error", "ignore"];
    const { options, mistakes } = optionsOf(call);
    if (!behaviours.includes(absence)) {
      mistakes.unshift(
        `Unrecognized if-no-files-found input. Provided: ${absence}. Available options: ${behaviours.join(",")}`,
      );
    }
    for (const mistake of mistakes) call.complain(mistake);
    await upload(call, { path, absence, ...flags }, { ...options, name: call.text("name"), archive });
    // As with the official action, such mistakes do not keep files from being uploaded.
    throwMistakes(mistakes);
  },
};

interface Wish {
  readonly path: string;
  readonly absence: string;
  readonly overwrite: boolean;
  readonly hidden: boolean;
}

async function upload(call: ActionCall, wish: Wish, options: UploadOptions): Promise<void> {
  const found = await findFiles(call, wish.path.split("\n"), wish.hidden);
  const { length: count } = found.files;
  if (count === 0) return sayNone(call, wish.absence, wish.path);
  call.log(`With the provided path, there will be ${count} file${count === 1 ? "" : "s"} uploaded`);
  if (!options.archive && count > 1) {
    throw new StepFailure(
      `When 'archive' is set to false, only a single file can be uploaded. Found ${count} files to upload.`,
    );
  }
  if (wish.overwrite) await removeExisting(call, options.name);
  await uploadArtifact(call, found, options);
}

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
    const separate = call.flag("separate-directories");
    const removes = call.flag("delete-merged");
    const hidden = call.flag("include-hidden-files");
    const { options, mistakes } = optionsOf(call);
    for (const mistake of mistakes) call.complain(mistake);
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
        const inside = separate ? joinInside(folder, artifact.name) : folder;
        await fetchArtifact(call, source, artifact, { folder: inside ?? folder, packed: false });
      }
      const found = await findFiles(call, [folder], hidden);
      await uploadArtifact(call, found, { ...options, name, archive: true });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    call.log(`The ${artifacts.length} artifact(s) have been successfully merged!`);
    if (removes) {
      for (const artifact of artifacts) await remove(call, artifact.name);
      call.log(`The ${artifacts.length} artifact(s) have been deleted`);
    }
    throwMistakes(mistakes);
  },
};

interface ReadOptions {
  readonly options: Pick<UploadOptions, "retentionDays" | "compressionLevel">;
  /** What is wrong, and is taken as if nobody had said it. */
  readonly mistakes: string[];
}

function optionsOf(call: ActionCall): ReadOptions {
  const mistakes: string[] = [];
  const numberOf = (name: string, usual: number): number => {
    const text = call.text(name);
    const value = text === "" ? usual : Number.parseInt(text, 10);
    if (!Number.isNaN(value)) return value;
    mistakes.push(`Invalid ${name}`);
    return usual;
  };
  const retentionDays = numberOf("retention-days", 0);
  const compressionLevel = numberOf("compression-level", 6);
  if (compressionLevel < 0 || compressionLevel > 9) {
    throw new StepFailure("Invalid compression-level. Valid values are 0-9");
  }
  return { options: { retentionDays, compressionLevel }, mistakes };
}

function throwMistakes([first]: readonly string[]): void {
  if (first !== undefined) throw new ToldFailure(first);
}

function sayNone(call: ActionCall, behaviour: string, path: string): void {
  const message = `No files were found with the provided path: ${path}. No artifacts will be uploaded.`;
  if (behaviour === "error") throw new StepFailure(message);
  if (behaviour === "warn") call.warn(message);
  if (behaviour === "ignore") call.log(message);
}

async function removeExisting(call: ActionCall, name: string): Promise<void> {
  if ((await ownRun(call).find(name)) !== undefined) await remove(call, name);
}

async function remove(call: ActionCall, name: string): Promise<void> {
  const answer = await artifactServices(call).twirp("ArtifactService", "DeleteArtifact", { ...backendIds(call), name });
  call.log(`Artifact '${name}' (ID: ${String(answer["artifact_id"])}) deleted`);
}
