/** Which container engine is there. Docker counts only when its daemon answers. */
import { errorCode, runCommand, withDeadline } from "#lib";

export interface ContainerEngine {
  readonly program: "docker" | "podman" | "buildah";
  readonly version: string;
}

export interface EngineSearch {
  readonly engine?: ContainerEngine;
  /** One sentence on what was looked for and found, for messages. */
  readonly summary: string;
}

export interface EngineSearchOptions {
  /** The environment of the programs; its PATH says where they are looked for. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A daemon that does not answer by then is not there. */
const probeMs = 5_000;

const probes = [
  { program: "docker", args: ["version", "--format", "{{.Server.Version}}"], silent: "its daemon does not answer" },
  { program: "podman", args: ["--version"], silent: "it does not start" },
  { program: "buildah", args: ["--version"], silent: "it does not start" },
] as const;

export async function findContainerEngine(options: EngineSearchOptions): Promise<EngineSearch> {
  const tried: string[] = [];
  for (const { program, args, silent } of probes) {
    const answer = await probe(program, args, options);
    if (typeof answer === "object") {
      return { engine: { program, version: answer.version }, summary: `${program} ${answer.version} was found` };
    }
    tried.push(`${program}: ${answer === "missing" ? "not installed" : silent}`);
  }
  return { summary: `none was found (${tried.join("; ")})` };
}

async function probe(
  program: string,
  args: readonly string[],
  options: EngineSearchOptions,
): Promise<{ version: string } | "missing" | "silent"> {
  try {
    const signal = withDeadline(options.signal, probeMs);
    const result = await runCommand(program, args, { env: options.env, maxOutputBytes: 64 * 1024, signal });
    const version = /\d+(?:\.\d+)+/.exec(result.stdout.toString("utf8"))?.[0];
    return result.exitCode === 0 && version !== undefined ? { version } : "silent";
  } catch (error) {
    options.signal.throwIfAborted();
    return errorCode(error) === "ENOENT" ? "missing" : "silent";
  }
}
