/** One artifact to a folder. */
import { chmod, copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ActionCall } from "../builtin-action.ts";
import { artifactServices } from "./own-run.ts";
import type { ArtifactFacts, ArtifactSource } from "./artifact-source.ts";
import { extractZip } from "../zip/extract-zip.ts";

export interface FetchOptions {
  readonly folder: string;
  /** Keeps an archive as it is. */
  readonly packed: boolean;
}

const zipTypes: ReadonlySet<string> = new Set([
  "application/zip",
  "application/x-zip-compressed",
  "application/zip-compressed",
]);

/** False when what came is not what was uploaded: its digest is another. */
export async function fetchArtifact(
  call: ActionCall,
  source: ArtifactSource,
  artifact: ArtifactFacts,
  { folder, packed }: FetchOptions,
): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  const { url } = await source.locate(artifact);
  call.log(`Redirecting to blob download url: ${url.split("?")[0]}`);
  call.log(`Starting download of artifact to: ${folder}`);
  const file = join(call.parts.folders.temp, `${call.parts.ids.uuid()}.artifact`);
  try {
    const got = await artifactServices(call).download(url, file);
    const zipped = zipTypes.has(got.contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "");
    if (zipped && !packed) await extractZip(file, folder, call.step.stop);
    else {
      const target = join(folder, got.fileName || (zipped ? `${artifact.name}.zip` : artifact.name));
      call.log(`Downloading raw file (non-zip) to: ${target}`);
      await copyFile(file, target);
      // Ours alone was what it was copied from; this is for all users of the machine, as what is unpacked is.
      await chmod(target, 0o644);
    }
    call.log(`SHA256 digest of downloaded artifact is ${got.digest.slice("sha256:".length)}`);
    call.log("Artifact download completed successfully.");
    return artifact.digest === undefined || artifact.digest === got.digest;
  } finally {
    await rm(file, { force: true });
  }
}
