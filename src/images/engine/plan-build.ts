/** The engine's command lines: pure. Values of build arguments go through the environment, never the command line. */
import { formatPlatform, type Platform } from "../platform.ts";
import type { ContainerEngine } from "./detect.ts";

export interface EngineBuildRequest {
  readonly contextFolder: string;
  readonly dockerfilePath: string;
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly platform?: Platform;
}

export function engineBuildArguments(
  engine: ContainerEngine,
  request: EngineBuildRequest,
  imageIdFile: string,
): readonly string[] {
  const each = (flag: string, values: readonly string[]): string[] => values.flatMap((value) => [flag, value]);
  return [
    "build",
    "--file",
    request.dockerfilePath,
    "--iidfile",
    imageIdFile,
    ...(request.target === undefined ? [] : ["--target", request.target]),
    ...(request.platform === undefined ? [] : ["--platform", formatPlatform(request.platform)]),
    ...each("--build-arg", Object.keys(request.buildArgs)),
    ...each(
      "--label",
      Object.entries(request.labels).map(([key, value]) => `${key}=${value}`),
    ),
    ...each("--tag", request.tags),
    ...(engine.program === "docker" ? [] : ["--format", "oci"]),
    request.contextFolder,
  ];
}

/** Docker prints the digest; the others write it to a file. */
export function enginePushArguments(engine: ContainerEngine, tag: string, digestFile: string): readonly string[] {
  return engine.program === "docker" ? ["push", tag] : ["push", "--digestfile", digestFile, tag];
}

/** `latest: digest: sha256:… size: 1234`, the last line of `docker push`. */
export function digestInPushOutput(output: string): string | undefined {
  return /digest: (sha256:[a-f0-9]{64})/.exec(output)?.[1];
}
