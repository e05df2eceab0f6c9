/** One artifact from files of the machine, with what the official client logs and sets. */
import { rm, stat } from "node:fs/promises";
import { basename, extname, join, relative } from "node:path";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";
import { requireArtifactName, requireArtifactPath } from "./artifact-names.ts";
import type { FoundFiles } from "./find-files.ts";
import { artifactServices, backendIds } from "./own-run.ts";
import { writeZip, type ZipSource } from "../zip/write-zip.ts";

export interface UploadOptions {
  readonly name: string;
  readonly compressionLevel: number;
  /** 0 leaves it to the server. */
  readonly retentionDays: number;
  /** False uploads the one file as it is, under its own name. */
  readonly archive: boolean;
}

export async function uploadArtifact(call: ActionCall, found: FoundFiles, options: UploadOptions): Promise<void> {
  const [single = ""] = found.files;
  const name = options.archive ? options.name : basename(single);
  requireArtifactName(name);
  call.log("Artifact name is valid!");
  if (!(await stat(found.root)).isDirectory()) {
    throw new StepFailure(`The provided rootDirectory ${found.root} is not a valid directory`);
  }
  call.log("Root directory input is valid!");
  const sources = options.archive ? sourcesOf(found) : [];
  const services = artifactServices(call);
  const ids = backendIds(call);
  const contentType = options.archive ? "application/zip" : mimeType(name);
  const expiresAt = expiry(call, options.retentionDays);
  const created = await services.twirp("ArtifactService", "CreateArtifact", {
    ...ids,
    name,
    mime_type: contentType,
    version: 7,
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
  });
  const archive = options.archive ? await pack(call, sources, options.compressionLevel) : undefined;
  try {
    const file = archive ?? single;
    const { size } = await stat(file);
    const digest = await sha256(file, call.step.stop);
    call.log(`Uploading artifact: ${options.archive ? `${name}.zip` : name}`);
    await services.upload(String(created["signed_upload_url"]), file, contentType);
    call.log(`Finished uploading artifact content to blob storage!`);
    call.log(`SHA256 digest of uploaded artifact is ${digest}`);
    if (size === 0) call.warn(`Nothing was uploaded: "${basename(single)}" is empty`);
    call.log("Finalizing artifact upload");
    const hash = `sha256:${digest}`;
    const end = await services.twirp("ArtifactService", "FinalizeArtifact", { ...ids, name, size: String(size), hash });
    report(call, { name, id: String(end["artifact_id"]), size, digest }, options.name);
  } finally {
    if (archive !== undefined) await rm(archive, { force: true });
  }
}

interface Uploaded {
  readonly name: string;
  readonly id: string;
  readonly size: number;
  readonly digest: string;
}

function report(call: ActionCall, { name, id, size, digest }: Uploaded, asked: string): void {
  call.log(`Artifact ${name} successfully finalized. Artifact ID ${id}`);
  call.log(`Artifact ${asked} has been successfully uploaded! Final size is ${size} bytes. Artifact ID is ${id}`);
  call.setOutput("artifact-id", id);
  call.setOutput("artifact-digest", digest);
  const { repository, runId, services } = call.parts.assignment;
  const run = call.github("run_id") || runId;
  const url = `${services.serverUrl}/${repository}/actions/runs/${run}/artifacts/${id}`;
  call.log(`Artifact download URL: ${url}`);
  call.setOutput("artifact-url", url);
}

function sourcesOf({ files, root }: FoundFiles): ZipSource[] {
  return files.map((file) => {
    const name = relative(root, file);
    if (name.startsWith("..")) {
      throw new StepFailure(`The rootDirectory: ${root} is not a parent directory of the file: ${file}`);
    }
    requireArtifactPath(name);
    return { name, file };
  });
}

async function pack(call: ActionCall, sources: readonly ZipSource[], level: number): Promise<string> {
  const path = join(call.parts.folders.temp, `${call.parts.ids.uuid()}.zip`);
  try {
    await writeZip(path, sources, level, call.step.stop);
    return path;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

function expiry(call: ActionCall, days: number): string | undefined {
  if (days === 0) return undefined;
  const longest = Number.parseInt(call.github("retention_days"), 10);
  let kept = days;
  if (longest > 0 && longest < days) {
    call.warn(
      `Retention days cannot be greater than the maximum allowed retention set within the repository. Using ${longest} instead.`,
    );
    kept = longest;
  }
  return call.parts.clock
    .now()
    .add({ hours: kept * 24 })
    .toString();
}

async function sha256(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash, { signal });
  return hash.digest("hex");
}

const mimeTypes: Readonly<Record<string, string>> = {
  ".txt": "text/plain",
  ".html": "text/html",
  ".htm": "text/html",
  ".css": "text/css",
  ".csv": "text/csv",
  ".xml": "text/xml",
  ".md": "text/markdown",
  ".js": "application/javascript",
  ".mjs": "application/javascript",
  ".json": "application/json",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
  ".pdf": "application/pdf",
  ".zip": "application/zip",
  ".tar": "application/x-tar",
  ".gz": "application/gzip",
  ".wasm": "application/wasm",
  ".yaml": "application/x-yaml",
  ".yml": "application/x-yaml",
};

function mimeType(name: string): string {
  return mimeTypes[extname(name).toLowerCase()] ?? "application/octet-stream";
}
