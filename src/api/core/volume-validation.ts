/** What upstream checks of the volumes of a pod, with its paths and messages. Pure. */
import type { Problem } from "#lib";
import { invalid, required, unsupported } from "../argo/field-problem.ts";
import { faultProblems, labelFaults, subdomainFaults } from "../meta/name-rules.ts";
import type { DownwardFile, KeyToPath, PodSpec, Volume, VolumeProjection } from "./pod.ts";

/** Volumes that are sound by name, and what is wrong with the others. */
export function volumeProblems(spec: PodSpec, path: string): { sound: ReadonlySet<string>; problems: Problem[] } {
  const sound = new Set<string>();
  const problems: Problem[] = [];
  (spec.volumes ?? []).forEach((volume, index) => {
    const at = `${path}[${index}]`;
    const found = sourceProblems(volume, at, spec);
    const { name } = volume;
    if (!name) found.push(required(`${at}.name`, ""));
    else found.push(...faultProblems(`${at}.name`, name, labelFaults(name)));
    if (sound.has(name)) found.push({ path: `${at}.name`, message: `Duplicate value: ${JSON.stringify(name)}` });
    if (found.length === 0) sound.add(name);
    problems.push(...found);
  });
  return { sound, problems };
}

function sourceProblems(volume: Volume, path: string, spec: PodSpec): Problem[] {
  const sources = Object.keys(volume).filter((field) => field !== "name" && volume[field] !== undefined);
  const problems = sources.slice(1).map((source) => ({
    path: `${path}.${source}`,
    message: "Forbidden: may not specify more than 1 volume type",
  }));
  const { hostPath, secret, configMap, downwardAPI, projected, persistentVolumeClaim: claim } = volume;
  if (hostPath !== undefined) problems.push(...hostPathProblems(hostPath, `${path}.hostPath`));
  if (secret !== undefined) {
    if (!secret.secretName) problems.push(required(`${path}.secret.secretName`, ""));
    problems.push(...filesProblems(secret, `${path}.secret`));
  }
  if (configMap !== undefined) {
    if (!configMap.name) problems.push(required(`${path}.configMap.name`, ""));
    problems.push(...filesProblems(configMap, `${path}.configMap`));
  }
  if (downwardAPI !== undefined) {
    problems.push(...modeProblems(downwardAPI.defaultMode, `${path}.downwardAPI.defaultMode`));
    for (const file of downwardAPI.items ?? []) problems.push(...downwardProblems(file, `${path}.downwardAPI`));
  }
  if (projected !== undefined) {
    problems.push(...modeProblems(projected.defaultMode, `${path}.projected.defaultMode`));
    problems.push(...projectionProblems(projected.sources ?? [], `${path}.projected`, spec));
  }
  if (typeof claim === "object" && claim !== null && "claimName" in claim && !claim.claimName) {
    problems.push(required(`${path}.persistentVolumeClaim.claimName`, ""));
  }
  return problems;
}

const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

function hostPathProblems(source: unknown, path: string): Problem[] {
  const { path: folder = "", type = "" } = source as { path?: string; type?: string };
  if (folder === "") return [required(`${path}.path`, "")];
  const problems: Problem[] = [];
  if (folder.split("/").includes("..")) problems.push(invalid(`${path}.path`, folder, "must not contain '..'"));
  if (!hostPathTypes.includes(type)) problems.push(unsupported(`${path}.type`, type, hostPathTypes));
  return problems;
}

interface Files {
  readonly items?: KeyToPath[];
  readonly defaultMode?: number;
}

function filesProblems({ items, defaultMode }: Files, path: string): Problem[] {
  const problems = modeProblems(defaultMode, `${path}.defaultMode`);
  (items ?? []).forEach((item, index) => {
    const at = `${path}.items[${index}]`;
    if (!item.key) problems.push(required(`${at}.key`, ""));
    problems.push(...filePathProblems(item.path, `${at}.path`));
    problems.push(...modeProblems(item.mode, `${at}.mode`));
  });
  return problems;
}

function modeProblems(mode: number | undefined, path: string): Problem[] {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return [];
  return [invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}

export function filePathProblems(file: string | undefined, path: string): Problem[] {
  if (!file) return [required(path, "")];
  const problems: Problem[] = [];
  if (file.startsWith("/")) problems.push(invalid(path, file, "must be a relative path"));
  if (file.split("/").includes("..")) problems.push(invalid(path, file, "must not contain '..'"));
  if (file.startsWith("..") && !file.startsWith("../") && file !== "..") {
    problems.push(invalid(path, file, "must not start with '..'"));
  }
  return problems;
}

function downwardProblems(file: DownwardFile, path: string): Problem[] {
  const problems = filePathProblems(file.path, `${path}.path`);
  const { fieldRef, resourceFieldRef } = file;
  if (fieldRef !== undefined) {
    if (!fieldRef.fieldPath) problems.push(required(`${path}.fieldRef.fieldPath`, ""));
    if (resourceFieldRef !== undefined) {
      const why = "fieldRef and resourceFieldRef can not be specified simultaneously";
      problems.push(invalid(path, "resource", why));
    }
  } else if (resourceFieldRef !== undefined) {
    const at = `${path}.resourceFieldRef`;
    if (!resourceFieldRef.containerName) problems.push(required(`${at}.containerName`, ""));
    else if (!resourceFieldRef.resource) problems.push(required(`${at}.resource`, ""));
  } else problems.push(required(path, "one of fieldRef and resourceFieldRef is required"));
  return [...problems, ...modeProblems(file.mode, `${path}.mode`)];
}

function projectionProblems(sources: readonly VolumeProjection[], path: string, spec: PodSpec): Problem[] {
  const problems: Problem[] = [];
  const paths = new Set<string>();
  function claimPath(file: string): void {
    if (paths.has(file)) problems.push(invalid(path, file, "conflicting duplicate paths"));
    paths.add(file);
  }
  sources.forEach((source, index) => {
    const at = `${path}.sources[${index}]`;
    const { secret, configMap, downwardAPI, serviceAccountToken: token } = source;
    if (secret !== undefined) {
      if (!secret.name) problems.push(required(`${at}.secret.name`, ""));
      problems.push(...filesProblems(secret, `${at}.secret`));
    }
    if (configMap !== undefined) {
      if (!configMap.name) problems.push(required(`${at}.configMap.name`, ""));
      problems.push(...filesProblems(configMap, `${at}.configMap`));
    }
    for (const item of [...(secret?.items ?? []), ...(configMap?.items ?? [])]) if (item.path) claimPath(item.path);
    for (const file of downwardAPI?.items ?? []) {
      problems.push(...downwardProblems(file, `${at}.downwardAPI`));
      if (file.path) claimPath(file.path);
    }
    if (token !== undefined) problems.push(...tokenProblems(token, `${at}.serviceAccountToken`, path, spec));
    const given = Object.values(source).filter((value) => value !== undefined).length;
    if (given > 1) problems.push({ path: at, message: "Forbidden: may not specify more than 1 volume type" });
  });
  return problems;
}

type Token = NonNullable<VolumeProjection["serviceAccountToken"]>;

function tokenProblems(token: Token, path: string, volumePath: string, spec: PodSpec): Problem[] {
  const problems: Problem[] = [];
  // Templates get their account when a pod is made of them.
  const isPod = path.startsWith("spec.volumes");
  if (isPod && !spec.serviceAccountName) {
    problems.push({ path, message: "Forbidden: must not be specified when serviceAccountName is not set" });
  }
  const seconds = token.expirationSeconds;
  if (seconds !== undefined && seconds < 600) {
    problems.push(invalid(`${path}.expirationSeconds`, seconds, "may not specify a duration less than 10 minutes"));
  }
  if (!token.path) problems.push(required(`${volumePath}.path`, ""));
  else problems.push(...filePathProblems(token.path, `${volumePath}.path`));
  return problems;
}

export function referenceNameProblems(name: string | undefined, path: string): Problem[] {
  return faultProblems(path, name ?? "", subdomainFaults(name ?? ""));
}
