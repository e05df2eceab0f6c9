/**
 * Unpacked images, one folder a digest: `<root>/<hex>/tree` and `<root>/<hex>/image.json`. An image appears whole, by
 * rename, or not at all. `<root>/references/` remembers which digest a reference meant, for pull policy IfNotPresent.
 */
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, type Ids, KeyedLock, readFileIfExists, sha256Hex, writeFileAtomic } from "#lib";
import { RuntimeError } from "../errors.ts";
import type { PulledImage, RegistryLogin } from "../pod-runtime.ts";
import type { ImageConfig, ImageSourcePort, ResolvedImage } from "../ports.ts";
import { type UnpackBudget, unpackLayer } from "./unpack-layer.ts";

export interface ImageLimits {
  /** Of the unpacked archives of one image together. */
  readonly maxBytes: number;
  readonly maxEntries: number;
}

export const defaultImageLimits: ImageLimits = { maxBytes: 16 * 1024 ** 3, maxEntries: 1_000_000 };

export interface ImageStoreOptions {
  readonly root: string;
  readonly source: ImageSourcePort;
  readonly limits: ImageLimits;
  /** See `UnpackOptions`. All that a store holds is unpacked the same way. */
  readonly keepOwners?: boolean;
  readonly clock: Clock;
  readonly ids: Ids;
}

export interface UnpackedImage {
  readonly digest: string;
  readonly tree: string;
  readonly config: ImageConfig;
}

export class ImageStore {
  readonly #options: ImageStoreOptions;
  readonly #locks = new KeyedLock();

  constructor(options: ImageStoreOptions) {
    this.#options = options;
  }

  /** Removes drafts that a crash left, and images nobody used for `idleMs` and `inUse` does not name. */
  async tidy(inUse: ReadonlySet<string>, idleMs: number): Promise<void> {
    await mkdir(this.#options.root, { recursive: true });
    const oldest = this.#options.clock.now().epochMilliseconds - idleMs;
    for (const name of await readdir(this.#options.root)) {
      const path = join(this.#options.root, name);
      const draft = name.endsWith(".draft");
      if (name === "references" || (!draft && inUse.has(`sha256:${name}`))) continue;
      if (draft || (await stat(path)).mtimeMs < oldest) await rm(path, { recursive: true, force: true });
    }
  }

  async pull(
    reference: string,
    policy: "Always" | "IfNotPresent" | "Never",
    signal: AbortSignal,
    logins: readonly RegistryLogin[] = [],
  ): Promise<PulledImage> {
    if (policy !== "Always") {
      const known = await this.#known(reference);
      if (known !== undefined) return { reference, digest: known, fetched: false };
    }
    if (policy === "Never") {
      const message = `Container image "${reference}" is not present with pull policy of Never`;
      throw new RuntimeError("runtime/no-image", message);
    }
    const resolved = await this.#options.source.resolve(reference, signal, logins);
    const fetched = await this.#locks.run(resolved.digest, () => this.#unpack(resolved, signal));
    await writeFileAtomic(this.#referenceFile(reference), resolved.digest);
    return { reference, digest: resolved.digest, fetched };
  }

  /** The image as unpacked. Throws when it was never pulled. */
  async open(digest: string): Promise<UnpackedImage> {
    const folder = this.#folder(digest);
    const text = await readFileIfExists(join(folder, "image.json"));
    if (text === undefined) {
      throw new RuntimeError(
        "runtime/no-image",
        `Cannot start from image "${digest}": it is not unpacked here, pull it`,
      );
    }
    const now = this.#options.clock.now().epochMilliseconds / 1000;
    await utimes(folder, now, now);
    return { digest, tree: join(folder, "tree"), config: JSON.parse(text) as ImageConfig };
  }

  async #known(reference: string): Promise<string | undefined> {
    const digest = await readFileIfExists(this.#referenceFile(reference));
    if (digest === undefined) return undefined;
    return (await readFileIfExists(join(this.#folder(digest), "image.json"))) === undefined ? undefined : digest;
  }

  /** False when it was there already. */
  async #unpack(image: ResolvedImage, signal: AbortSignal): Promise<boolean> {
    const folder = this.#folder(image.digest);
    if ((await readFileIfExists(join(folder, "image.json"))) !== undefined) return false;
    const draft = `${folder}.${this.#options.ids.suffix(6)}.draft`;
    const how = { keepOwners: this.#options.keepOwners === true };
    const budget: UnpackBudget = { bytes: this.#options.limits.maxBytes, entries: this.#options.limits.maxEntries };
    try {
      await mkdir(join(draft, "tree"), { recursive: true });
      for (const [index, layer] of image.layers.entries()) {
        const diffId = image.config.rootfs?.diff_ids?.[index];
        await unpackLayer(join(draft, "tree"), layer, diffId, budget, how, signal);
      }
      await writeFileAtomic(join(draft, "image.json"), JSON.stringify(image.config.config ?? {}));
      await rename(draft, folder);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      throw error;
    }
    return true;
  }

  #folder(digest: string): string {
    const match = /^sha256:([0-9a-f]{64})$/.exec(digest);
    if (match === null)
      throw new RuntimeError("runtime/no-image", `Cannot use image digest "${digest}": not a SHA-256`);
    return join(this.#options.root, match[1] ?? "");
  }

  #referenceFile(reference: string): string {
    return join(this.#options.root, "references", sha256Hex(reference));
  }
}
