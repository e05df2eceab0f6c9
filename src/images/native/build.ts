/** Builds a Dockerfile without RUN, without a container engine. The same context gives the same digests. */
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { errorCode, hasErrors, sha256Digest, systemIds, type Clock, type Location, type Problem } from "#lib";
import { expandWord, ExpansionError } from "../dockerfile/expand.ts";
import type { Dockerfile, Stage } from "../dockerfile/instruction.ts";
import { parseDockerfile, parseTrigger } from "../dockerfile/parse.ts";
import { ImageError } from "../errors.ts";
import { parsePlatform, type Platform } from "../platform.ts";
import type { RegistryClient } from "../registry/client.ts";
import { pullBaseImage, type BaseImage } from "./base-image.ts";
import { readContext, readDockerfile, readIgnoreRules } from "./context.ts";
import { globalArgValues, platformArgs } from "./global-args.ts";
import {
  encodeImageConfig,
  encodeManifest,
  manifestMediaType,
  scratchConfig,
  type ImageLayer,
} from "./image-config.ts";
import { InstructionProblem } from "./instruction-problem.ts";
import { StageBuilder, type CopySource, type LayerPaths, type StageSurroundings } from "./stage-builder.ts";
import { engineProblems, findStage, neededStages, targetStage } from "./stage-order.ts";
import { ImageTree } from "./tree.ts";

export interface BuildOptions {
  readonly contextFolder: string;
  /** The file on disk. */
  readonly dockerfilePath: string;
  /** How problems name the file; its base name when missing. */
  readonly dockerfileName?: string;
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly platform: Platform;
  /** Blobs, layer indexes and temporary contents; may be shared by builds that run at the same time. */
  readonly cacheFolder: string;
  readonly registry: RegistryClient;
  readonly clock: Clock;
  /** SOURCE_DATE_EPOCH, seconds; 0 when missing. */
  readonly sourceDateEpoch?: number;
  /** What was found when an engine was looked for, for the message about RUN. */
  readonly engineSearch?: string;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

export interface BuiltImage {
  readonly manifest: Buffer;
  readonly mediaType: string;
  /** Of the manifest: what the image is called by. */
  readonly digest: string;
  readonly config: Buffer;
  readonly configDigest: string;
  readonly layers: readonly ImageLayer[];
}

export type BuildOutcome =
  | { readonly kind: "built"; readonly image: BuiltImage; readonly warnings: readonly Problem[] }
  | { readonly kind: "problems"; readonly problems: readonly Problem[] };

/** What cannot be done comes back as problems with their line; a disk that fails throws. */
export async function buildImage(options: BuildOptions): Promise<BuildOutcome> {
  const file = options.dockerfileName ?? basename(options.dockerfilePath);
  const text = await readDockerfile(options.dockerfilePath).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "EISDIR") return undefined;
    throw error;
  });
  if (text === undefined) {
    const message = "There is no such Dockerfile: add it, or name another one";
    return { kind: "problems", problems: [{ path: "", message, at: { file } }] };
  }
  const { value: dockerfile, problems } = parseDockerfile(text, file);
  if (dockerfile === undefined || hasErrors(problems)) return { kind: "problems", problems };
  const target = targetStage(dockerfile, options.target);
  if (target === undefined) {
    const names = dockerfile.stages.map((stage) => stage.name ?? String(stage.index)).join(", ");
    const message = `There is no stage "${options.target}": the stages are ${names}`;
    return { kind: "problems", problems: [{ path: "FROM", message, at: { file } }] };
  }
  const stages = neededStages(dockerfile, target);
  const needEngine = engineProblems(stages, options.engineSearch ?? "none was found");
  if (needEngine.length > 0) return { kind: "problems", problems: needEngine };
  const build = new NativeBuild(dockerfile, options);
  try {
    const outcome = await build.run(stages);
    return outcome.kind === "built" ? { ...outcome, warnings: problems } : outcome;
  } finally {
    await rm(build.spoolFolder, { recursive: true, force: true });
  }
}

class NativeBuild {
  readonly spoolFolder: string;
  readonly #dockerfile: Dockerfile;
  readonly #options: BuildOptions;
  readonly #finished = new Map<Stage, BaseImage>();
  readonly #layerPaths: LayerPaths = new Map();
  readonly #buildArgs: ReadonlyMap<string, string>;
  #globalArgs: ReadonlyMap<string, string> = new Map();
  #context: ImageTree | undefined;

  constructor(dockerfile: Dockerfile, options: BuildOptions) {
    this.#dockerfile = dockerfile;
    this.#options = options;
    this.#buildArgs = new Map(Object.entries(options.buildArgs));
    this.spoolFolder = join(options.cacheFolder, "spool", systemIds.suffix(12));
  }

  async run(stages: readonly Stage[]): Promise<BuildOutcome> {
    let at: Location = { file: this.#dockerfile.file };
    try {
      const { globalArgs, escape } = this.#dockerfile;
      at = globalArgs[0]?.at ?? at;
      this.#globalArgs = globalArgValues(globalArgs, this.#buildArgs, platformArgs(this.#options.platform), escape);
      let last: BaseImage | undefined;
      for (const stage of stages) {
        last = await this.#buildStage(stage, stage === stages.at(-1), (place) => (at = place));
        this.#finished.set(stage, last);
      }
      if (last === undefined) throw new InstructionProblem("There is no stage to build");
      return { kind: "built", image: this.#encode(last), warnings: [] };
    } catch (error) {
      const known = [InstructionProblem, ExpansionError, ImageError].some((kind) => error instanceof kind);
      if (known && error instanceof Error) {
        return { kind: "problems", problems: [{ path: "", message: error.message, at }] };
      }
      throw error;
    }
  }

  async #buildStage(stage: Stage, isTarget: boolean, moveTo: (at: Location) => void): Promise<BaseImage> {
    moveTo(stage.at);
    const base = await this.#base(stage);
    const builder = new StageBuilder(base, this.#surroundings(stage), this.#layerPaths);
    for (const trigger of base.config.run.OnBuild ?? []) {
      const { value } = parseTrigger(trigger, this.#dockerfile.file, this.#dockerfile.escape);
      if (value === undefined) throw new InstructionProblem(`The base image's ONBUILD "${trigger}" is not understood`);
      await builder.apply(value);
    }
    for (const instruction of stage.instructions) {
      this.#options.signal.throwIfAborted();
      moveTo(instruction.at);
      this.#options.onProgress(`[${stage.name ?? `stage-${stage.index}`}] ${instruction.text.slice(0, 200)}`);
      await builder.apply(instruction);
    }
    if (isTarget) builder.addLabels(this.#options.labels);
    return builder.result();
  }

  async #base(stage: Stage): Promise<BaseImage> {
    const { escape } = this.#dockerfile;
    const name = expandWord(stage.base, (key) => this.#globalArgs.get(key), escape);
    if (name === "") throw new InstructionProblem(`FROM "${stage.base}" is empty: give its ARG a value`);
    const earlier = findStage(this.#dockerfile, name, stage.index);
    const built = earlier === undefined ? undefined : this.#finished.get(earlier);
    if (built !== undefined) return built;
    const platform = this.#platform(stage);
    if (name.toLowerCase() === "scratch") {
      return { config: scratchConfig(platform), layers: [], tree: new ImageTree() };
    }
    return await this.#pull(name, platform);
  }

  #platform(stage: Stage): Platform {
    if (stage.platform === undefined) return this.#options.platform;
    const text = expandWord(stage.platform, (key) => this.#globalArgs.get(key), this.#dockerfile.escape);
    const platform = parsePlatform(text);
    if (platform === undefined) throw new InstructionProblem(`"${text}" is not a platform: write linux/amd64`);
    return platform;
  }

  async #pull(name: string, platform: Platform): Promise<BaseImage> {
    const { registry, cacheFolder, clock, signal, onProgress } = this.#options;
    const image = await pullBaseImage(name, { registry, cacheFolder, clock, signal, onProgress, platform });
    for (const layer of image.layers) this.#layerPaths.set(layer.digest, layer.path);
    return image;
  }

  #surroundings(stage: Stage): StageSurroundings {
    const mtimeSeconds = this.#options.sourceDateEpoch ?? 0;
    return {
      escape: this.#dockerfile.escape,
      created: Temporal.Instant.fromEpochMilliseconds(mtimeSeconds * 1000).toString(),
      mtimeSeconds,
      blobsFolder: join(this.#options.cacheFolder, "blobs"),
      spoolFolder: this.spoolFolder,
      globalArgs: this.#globalArgs,
      buildArgs: this.#buildArgs,
      engineSearch: this.#options.engineSearch ?? "none was found",
      signal: this.#options.signal,
      source: (from) => this.#source(from, stage),
    };
  }

  async #source(from: string | undefined, stage: Stage): Promise<CopySource> {
    if (from === undefined) return { tree: await this.#readContext(), name: "the build context" };
    const earlier = findStage(this.#dockerfile, from, stage.index);
    const built = earlier === undefined ? undefined : this.#finished.get(earlier);
    if (built !== undefined) return { tree: built.tree, name: `stage "${from}"` };
    if (/^\d+$/.test(from) || from.toLowerCase() === stage.name) {
      throw new InstructionProblem(`--from=${from} names no earlier stage: stages count from 0`);
    }
    return { tree: (await this.#pull(from, this.#options.platform)).tree, name: `image "${from}"` };
  }

  async #readContext(): Promise<ImageTree> {
    const { contextFolder, dockerfilePath, signal } = this.#options;
    this.#context ??= await readContext(contextFolder, await readIgnoreRules(contextFolder, dockerfilePath), signal);
    return this.#context;
  }

  #encode(stage: BaseImage): BuiltImage {
    const created = Temporal.Instant.fromEpochMilliseconds((this.#options.sourceDateEpoch ?? 0) * 1000).toString();
    const config = encodeImageConfig(stage.config, created);
    const manifest = encodeManifest(config, stage.layers);
    return {
      manifest,
      mediaType: manifestMediaType,
      digest: sha256Digest(manifest),
      config,
      configDigest: sha256Digest(config),
      layers: stage.layers,
    };
  }
}
