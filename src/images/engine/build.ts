/** Builds with the container engine that is there: what a Dockerfile with RUN needs. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { readFileIfExists } from "#lib";
import { ImageError } from "../errors.ts";
import type { RegistryCredentials } from "../registry/authorizer.ts";
import type { ContainerEngine } from "./detect.ts";
import {
  digestInPushOutput,
  engineBuildArguments,
  enginePushArguments,
  type EngineBuildRequest,
} from "./plan-build.ts";

export interface EngineBuildOptions extends EngineBuildRequest {
  readonly push: boolean;
  readonly credentials: ReadonlyMap<string, RegistryCredentials>;
  readonly env: Readonly<Record<string, string>>;
  /** Where a folder for credentials and answers is made, and removed at the end. */
  readonly tempFolder: string;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

export interface EngineBuildResult {
  readonly imageId: string;
  /** Of the pushed manifest; undefined when nothing was pushed. */
  readonly digest?: string;
}

export async function buildWithEngine(
  engine: ContainerEngine,
  options: EngineBuildOptions,
): Promise<EngineBuildResult> {
  const folder = await mkdtemp(join(options.tempFolder, "engine-"));
  try {
    await writeFile(join(folder, "config.json"), dockerConfig(options.credentials), { mode: 0o600 });
    const env = {
      ...options.env,
      ...options.buildArgs,
      DOCKER_CONFIG: folder,
      REGISTRY_AUTH_FILE: join(folder, "config.json"),
    };
    const imageIdFile = join(folder, "image-id");
    await runEngine(engine, engineBuildArguments(engine, options, imageIdFile), env, options);
    const imageId = (await readFile(imageIdFile, "utf8")).trim();
    if (!options.push) return { imageId };
    let digest: string | undefined;
    for (const tag of options.tags) {
      const digestFile = join(folder, "digest");
      const output = await runEngine(engine, enginePushArguments(engine, tag, digestFile), env, options);
      digest = (await readFileIfExists(digestFile))?.trim() ?? digestInPushOutput(output) ?? digest;
    }
    return { imageId, ...(digest === undefined ? {} : { digest }) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Docker's `config.json`: one entry a host, Docker Hub under its old name. */
export function dockerConfig(credentials: ReadonlyMap<string, RegistryCredentials>): string {
  const auths = [...credentials].map(([host, { username, password }]) => [
    host === "docker.io" ? "https://index.docker.io/v1/" : host,
    { auth: Buffer.from(`${username}:${password}`).toString("base64") },
  ]);
  return JSON.stringify({ auths: Object.fromEntries(auths) as unknown });
}

async function runEngine(
  engine: ContainerEngine,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: EngineBuildOptions,
): Promise<string> {
  const child = spawn(engine.program, args, {
    env: { ...env },
    stdio: ["ignore", "pipe", "pipe"],
    signal: options.signal,
  });
  let tail = "";
  const follow = async (stream: NodeJS.ReadableStream): Promise<void> => {
    for await (const line of createInterface({ input: stream })) {
      options.onProgress(line);
      tail = `${tail}${line}\n`.slice(-16 * 1024);
    }
  };
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 128));
  });
  const [code] = await Promise.all([ended, follow(child.stdout), follow(child.stderr)]);
  options.signal.throwIfAborted();
  if (code !== 0) {
    const message = `Cannot ${args[0]} the image with ${engine.program}: it ended with exit code ${code}, see its output above`;
    throw new ImageError("images/engine-failed", message);
  }
  return tail;
}
