/** What a pod's volumes hold: pure. */
import type { DownwardFile, KeyToPath, Pod, Volume, VolumeProjection } from "#api";
import type { VolumeFiles } from "../ports.ts";
import type { ClaimFolder } from "../volumes/claim-folder.ts";
import type { ConfigSources } from "./container-env.ts";
import { podFileField, type PodPlace, resourceField } from "./pod-fields.ts";

export type VolumeResult =
  | { readonly kind: "complete"; readonly value: VolumeFiles }
  | { readonly kind: "missing"; readonly name: string; readonly message: string };

export interface VolumeSources extends ConfigSources {
  readonly place: PodPlace;
  /** The token that was got for this projection; undefined when there is none yet. */
  token(audience: string, expirationSeconds: number): string | undefined;
  claim(name: string): ClaimFolder;
  /** Why a folder of the machine may not be used; undefined when it may. */
  refusesHostPath(path: string): string | undefined;
}

/** Upstream's default of `expirationSeconds`. */
export const defaultTokenSeconds = 3600;

class Missing extends Error {}

export function podVolumes(pod: Pod, sources: VolumeSources): VolumeResult[] {
  return (pod.spec.volumes ?? []).map((volume) => {
    try {
      return { kind: "complete", value: volumeFiles(pod, volume, sources) };
    } catch (error) {
      if (error instanceof Missing) return { kind: "missing", name: volume.name, message: error.message };
      throw error;
    }
  });
}

function volumeFiles(pod: Pod, volume: Volume, sources: VolumeSources): VolumeFiles {
  const { name, configMap, secret, downwardAPI, projected, persistentVolumeClaim: claim, hostPath } = volume;
  if (volume.emptyDir !== undefined) return { name };
  const files = new Files();
  if (configMap !== undefined) {
    files.pick(configMapFiles(configMap.name, configMap.optional, sources), configMap);
    return files.volume(name, configMap.defaultMode);
  }
  if (secret !== undefined) {
    files.pick(secretFiles(secret.secretName, secret.optional, sources), secret);
    return files.volume(name, secret.defaultMode);
  }
  if (downwardAPI !== undefined) {
    files.downward(pod, downwardAPI.items ?? [], sources);
    return files.volume(name, downwardAPI.defaultMode);
  }
  if (projected !== undefined) {
    for (const source of projected.sources ?? []) files.project(pod, source, sources);
    return files.volume(name, projected.defaultMode);
  }
  if (hostPath !== undefined) {
    const refusal = sources.refusesHostPath(hostPath.path);
    if (refusal !== undefined) throw new Missing(refusal);
    return { name, hostPath: hostPath.path, ...(hostPath.type === undefined ? {} : { hostPathType: hostPath.type }) };
  }
  if (claim !== undefined) {
    const found = sources.claim(claim.claimName);
    if (found.kind === "missing") throw new Missing(found.message);
    return { name, hostPath: found.path, hostPathType: "DirectoryOrCreate" };
  }
  const source = Object.keys(volume).find((field) => field !== "name") ?? "";
  throw new Missing(
    `source "${source}" is not available here: use configMap, secret, projected, downwardAPI, emptyDir, hostPath or persistentVolumeClaim`,
  );
}

/** The files of one volume as its sources add to them; a later source counts more. */
class Files {
  readonly #files = new Map<string, Uint8Array>();
  readonly #modes = new Map<string, number>();

  volume(name: string, defaultMode: number | undefined): VolumeFiles {
    return { name, files: this.#files, mode: defaultMode ?? 0o644, modes: this.#modes };
  }

  /** The named keys, or all. */
  pick(
    all: ReadonlyMap<string, Uint8Array>,
    { items, optional }: { readonly items?: readonly KeyToPath[]; readonly optional?: boolean },
  ): void {
    for (const { key, path, mode } of items ?? [...all.keys()].map((name): KeyToPath => ({ key: name, path: name }))) {
      const bytes = all.get(key);
      if (bytes !== undefined) this.#add(path, bytes, mode);
      else if (optional !== true) throw new Missing(`references non-existent config key: ${key}`);
    }
  }

  downward(pod: Pod, items: readonly DownwardFile[], { place }: VolumeSources): void {
    for (const { path, mode, fieldRef, resourceFieldRef } of items) {
      const value =
        fieldRef === undefined
          ? resourceFieldRef && resourceField(pod, undefined, resourceFieldRef, place)
          : podFileField(pod, fieldRef.fieldPath, place);
      if (value === undefined) {
        throw new Missing(
          `unsupported fieldPath or resource for "${path}": ${fieldRef?.fieldPath ?? resourceFieldRef?.resource ?? ""}`,
        );
      }
      this.#add(path, Buffer.from(value), mode);
    }
  }

  project(pod: Pod, source: VolumeProjection, sources: VolumeSources): void {
    const { configMap, secret, downwardAPI, serviceAccountToken: account } = source;
    if (configMap !== undefined) this.pick(configMapFiles(configMap.name, configMap.optional, sources), configMap);
    if (secret !== undefined) this.pick(secretFiles(secret.name, secret.optional, sources), secret);
    if (downwardAPI !== undefined) this.downward(pod, downwardAPI.items ?? [], sources);
    if (account === undefined) return;
    const token = sources.token(account.audience ?? "", account.expirationSeconds ?? defaultTokenSeconds);
    if (token === undefined) throw new Missing("failed to fetch token: no token could be had of the API server yet");
    this.#add(account.path, Buffer.from(token), undefined);
  }

  #add(path: string, bytes: Uint8Array, mode: number | undefined): void {
    this.#files.set(path, bytes);
    if (mode === undefined) this.#modes.delete(path);
    else this.#modes.set(path, mode);
  }
}

function configMapFiles(
  name: string,
  optional: boolean | undefined,
  sources: ConfigSources,
): ReadonlyMap<string, Uint8Array> {
  const found = sources.configMap(name);
  if (found === undefined && optional !== true) throw new Missing(`configmap "${name}" not found`);
  const text = Object.entries(found?.data ?? {}).map(([key, value]): [string, Uint8Array] => [key, Buffer.from(value)]);
  return new Map([...text, ...Object.entries(found?.binaryData ?? {}).map(fromBase64)]);
}

function secretFiles(
  name: string,
  optional: boolean | undefined,
  sources: ConfigSources,
): ReadonlyMap<string, Uint8Array> {
  const found = sources.secret(name);
  if (found === undefined && optional !== true) throw new Missing(`secret "${name}" not found`);
  return new Map(Object.entries(found?.data ?? {}).map(fromBase64));
}

function fromBase64([key, value]: [string, string]): [string, Uint8Array] {
  return [key, Buffer.from(value, "base64")];
}
