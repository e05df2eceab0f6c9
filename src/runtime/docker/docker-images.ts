/**
 * Images of an engine. Each that pods use has a name of ours, by its digest; the name that a spec says may come to mean
 * another image while a container of the old one is about to start.
 *
 * The engine pulls by itself, with credentials where there are some. Where it cannot (a registry without TLS that it
 * does not trust, an engine that does not see this machine's loopback), the image is handed to it as an archive.
 */
import { mkdir, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type EngineClient, ensurePauseImage, isEngineStatus, pullImage, readProgress, splitReference } from "#engine";
import {
  type Clock,
  errorMessage,
  type Ids,
  KeyedLock,
  type Log,
  readFileIfExists,
  sha256Hex,
  writeFileAtomic,
} from "#lib";
import { RuntimeError } from "../errors.ts";
import type { PulledImage, RegistryLogin } from "../pod-runtime.ts";
import type { ImageSourcePort } from "../ports.ts";
import type { EngineImage } from "./engine-types.ts";
import { imageArchive } from "./image-archive.ts";

export interface DockerImagesOptions {
  readonly engine: EngineClient;
  /** References and when images were last used. */
  readonly folder: string;
  readonly source: ImageSourcePort;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

const ownRepository = "tidegate.local/image";

export class DockerImages {
  readonly #options: DockerImagesOptions;
  readonly #locks = new KeyedLock();

  constructor(options: DockerImagesOptions) {
    this.#options = options;
  }

  /** Makes the sandbox image, once for each engine. */
  async ensurePause(signal: AbortSignal): Promise<void> {
    await this.#locks.run("pause", async () => await ensurePauseImage(this.#options.engine, signal));
  }

  async pull(
    reference: string,
    policy: "Always" | "IfNotPresent" | "Never",
    logins: readonly RegistryLogin[],
    signal: AbortSignal,
  ): Promise<PulledImage> {
    return await this.#locks.run(reference, async () => {
      if (policy !== "Always") {
        const known = await this.#known(reference, signal);
        if (known !== undefined) return { reference, digest: known, fetched: false };
      }
      if (policy === "Never") {
        const message = `Container image "${reference}" is not present with pull policy of Never`;
        throw new RuntimeError("runtime/no-image", message);
      }
      const digest = await this.#fetch(reference, logins, signal);
      await writeFileAtomic(this.#referenceFile(reference), digest);
      await this.#touch(digest);
      return { reference, digest, fetched: true };
    });
  }

  /** What the engine knows a pulled image by, and as whom it runs. */
  async open(
    digest: string,
    signal: AbortSignal,
  ): Promise<{ readonly name: string; readonly user: string | undefined }> {
    const found = await this.#inspect(nameOf(digest), signal);
    if (found === undefined) {
      const message = `Cannot start from image "${digest}": the engine does not have it, pull it`;
      throw new RuntimeError("runtime/no-image", message);
    }
    await this.#touch(digest);
    return { name: nameOf(digest), user: found.Config?.User };
  }

  /** Gives up images that nobody used for `idleMs` and `inUse` does not name. */
  async tidy(inUse: ReadonlySet<string>, idleMs: number, signal: AbortSignal): Promise<void> {
    const folder = join(this.#options.folder, "images");
    await mkdir(folder, { recursive: true });
    const oldest = this.#options.clock.now().epochMilliseconds - idleMs;
    for (const hex of await readdir(folder)) {
      const path = join(folder, hex);
      if (inUse.has(`sha256:${hex}`) || (await stat(path)).mtimeMs >= oldest) continue;
      const gone = await this.#removeName(nameOf(`sha256:${hex}`), signal);
      if (gone) await rm(path, { force: true });
    }
  }

  async #known(reference: string, signal: AbortSignal): Promise<string | undefined> {
    const digest = await readFileIfExists(this.#referenceFile(reference));
    if (digest === undefined) return undefined;
    return (await this.#inspect(nameOf(digest), signal)) === undefined ? undefined : digest;
  }

  async #fetch(reference: string, logins: readonly RegistryLogin[], signal: AbortSignal): Promise<string> {
    const { source, log } = this.#options;
    const before = await this.#inspect(reference, signal);
    const own = await source.engineLogin?.(reference);
    let refusal: unknown;
    for (const login of [...(own === undefined ? [] : [own]), ...fitting(reference, logins), undefined]) {
      try {
        await pullImage(this.#options.engine, reference, login, signal);
        return await this.#adopt(reference, before, signal);
      } catch (error) {
        signal.throwIfAborted();
        refusal ??= error;
      }
    }
    try {
      const image = await source.resolve(reference, signal, logins);
      log.debug("The engine cannot pull an image, handing it over", { image: reference, error: errorMessage(refusal) });
      if ((await this.#inspect(nameOf(image.digest), signal)) === undefined) {
        const archive = imageArchive(image, nameOf(image.digest));
        await readProgress(
          await this.#options.engine.stream("POST", "/images/load", { query: { quiet: 1 }, archive, signal }),
        );
      }
      return image.digest;
    } catch (error) {
      signal.throwIfAborted();
      const why = errorMessage(error);
      const message = why.includes(reference) ? why : `Cannot pull image "${reference}": ${why}`;
      throw new RuntimeError("runtime/no-image", message, { cause: error });
    }
  }

  /** Takes the image that the engine pulled under our own name, and leaves the engine's names as they were. */
  async #adopt(reference: string, before: EngineImage | undefined, signal: AbortSignal): Promise<string> {
    const image = await this.#inspect(reference, signal);
    if (image === undefined)
      throw new RuntimeError("runtime/no-image", `The engine does not have "${reference}" after it pulled it`);
    const { repository } = splitReference(reference);
    const known =
      (image.RepoDigests ?? []).find((entry) => entry.startsWith(`${repository}@`)) ?? image.RepoDigests?.[0];
    const digest = known?.split("@")[1] ?? plainId(image.Id);
    const [repo, tag] = nameOf(digest).split(":") as [string, string];
    const path = `/images/${encodeURIComponent(plainId(image.Id))}/tag`;
    await this.#options.engine.send("POST", path, { query: { repo, tag }, signal });
    if (before === undefined) await this.#removeName(reference, signal);
    return digest;
  }

  async #inspect(name: string, signal: AbortSignal): Promise<EngineImage | undefined> {
    try {
      return await this.#options.engine.json<EngineImage>("GET", `/images/${encodeURIComponent(name)}/json`, {
        signal,
      });
    } catch (error) {
      if (isEngineStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** True when the name is gone. An image that a container uses stays. */
  async #removeName(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.engine.send("DELETE", `/images/${encodeURIComponent(name)}`, { signal });
      return true;
    } catch (error) {
      return isEngineStatus(error, 404);
    }
  }

  async #touch(digest: string): Promise<void> {
    const path = join(this.#options.folder, "images", digest.replace(/^sha256:/, ""));
    const now = this.#options.clock.now().epochMilliseconds / 1000;
    await mkdir(join(this.#options.folder, "images"), { recursive: true });
    await writeFile(path, "");
    await utimes(path, now, now);
  }

  #referenceFile(reference: string): string {
    return join(this.#options.folder, "references", sha256Hex(reference));
  }
}

function nameOf(digest: string): string {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  if (hex === undefined)
    throw new RuntimeError("runtime/no-image", `Cannot use image digest "${digest}": not a SHA-256`);
  return `${ownRepository}:${hex}`;
}

/** Podman leaves `sha256:` out. */
function plainId(id: string): string {
  return id.startsWith("sha256:") ? id : `sha256:${id}`;
}

function fitting(reference: string, logins: readonly RegistryLogin[]): readonly RegistryLogin[] {
  return logins.filter(({ registry }) => {
    const pattern = registry.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll("*", "[^./]*");
    return new RegExp(`^${pattern}(?:$|[/:])`).test(reference);
  });
}
