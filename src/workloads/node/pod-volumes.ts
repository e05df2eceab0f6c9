/** What a pod's volumes hold: pure. */
import type { Pod, Volume } from "#api";
import type { VolumeFiles } from "../ports.ts";
import type { ConfigSources } from "./container-env.ts";

export type VolumeResult =
  | { readonly kind: "complete"; readonly value: VolumeFiles }
  | { readonly kind: "missing"; readonly message: string };

interface Item {
  readonly key: string;
  readonly path: string;
}

export function podVolumes(pod: Pod, sources: ConfigSources): VolumeResult[] {
  return (pod.spec.volumes ?? []).map((volume) => volumeFiles(volume, sources));
}

function volumeFiles(volume: Volume, sources: ConfigSources): VolumeResult {
  const { name, configMap, secret, emptyDir } = volume;
  if (emptyDir !== undefined) return { kind: "complete", value: { name } };
  if (configMap !== undefined) {
    const found = sources.configMap(configMap.name);
    if (found === undefined && configMap.optional !== true) return missing(`configmap "${configMap.name}" not found`);
    const text = Object.entries(found?.data ?? {}).map(([key, value]): [string, Uint8Array] => [
      key,
      Buffer.from(value),
    ]);
    const binary = Object.entries(found?.binaryData ?? {}).map(fromBase64);
    return pick(name, new Map([...text, ...binary]), configMap.items, configMap.optional, 0o644);
  }
  if (secret !== undefined) {
    const found = sources.secret(secret.secretName);
    if (found === undefined && secret.optional !== true) return missing(`secret "${secret.secretName}" not found`);
    return pick(name, new Map(Object.entries(found?.data ?? {}).map(fromBase64)), secret.items, secret.optional, 0o400);
  }
  const source = Object.keys(volume).find((field) => field !== "name") ?? "";
  return missing(`volume "${name}": source "${source}" is not available here, use configMap, secret or emptyDir`);
}

function pick(
  name: string,
  all: ReadonlyMap<string, Uint8Array>,
  items: readonly Item[] | undefined,
  optional: boolean | undefined,
  mode: number,
): VolumeResult {
  if (items === undefined) return { kind: "complete", value: { name, files: all, mode } };
  const files = new Map<string, Uint8Array>();
  for (const { key, path } of items) {
    const bytes = all.get(key);
    if (bytes !== undefined) files.set(path, bytes);
    else if (optional !== true) return missing(`volume "${name}": references non-existent key: ${key}`);
  }
  return { kind: "complete", value: { name, files, mode } };
}

function fromBase64([key, value]: [string, string]): [string, Uint8Array] {
  return [key, Buffer.from(value, "base64")];
}

function missing(message: string): VolumeResult {
  return { kind: "missing", message };
}
