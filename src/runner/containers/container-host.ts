/** The job's container as the place where steps run. */
import { StepFailure } from "../errors.ts";
import type { GroupEnd, GroupOptions } from "../exec/process-group.ts";
import type { Job } from "../job/job.ts";
import type { StepHost } from "../steps/step-host.ts";
import { execInContainer, type RunningContainer } from "./exec-in-container.ts";
import type { PathMap } from "./path-map.ts";

/** Where the runner's Node.js is mounted; actions say node20 or node24 and get one that runs both. */
export const mountedNode = "/__e/node24/bin/node";

const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export function containerHost(
  container: RunningContainer,
  image: string,
  imageEnv: readonly string[],
  paths: PathMap,
  job: Job,
): StepHost {
  const { ids, clock, kill } = job.parts;
  const path = imageEnv.find((line) => line.startsWith("PATH="))?.slice("PATH=".length) ?? usualPath;
  const run = (program: string, args: readonly string[], options: GroupOptions): Promise<GroupEnd> =>
    execInContainer(container, [program, ...args], ids.uuid(), options);
  const works = async (program: string, signal: AbortSignal): Promise<boolean> => {
    const options = { cwd: "/", env: { PATH: path }, clock, onOutput: () => {}, stop: signal, kill };
    return (await run(program, ["--version"], options)).exitCode === 0;
  };
  let node: string | undefined;
  return {
    kind: "container",
    // The image says the rest: its environment is there for every program that is started in the container.
    baseEnv: { PATH: path, HOME: "/github/home" },
    inside: (text) => paths.inside(text),
    outside: (text) => paths.outside(text),
    shows: (text) => paths.has(text),
    find: (program) => program,
    run,
    async node(signal) {
      for (const program of node === undefined ? [mountedNode, "node"] : []) {
        if (node === undefined && (await works(program, signal))) node = program;
      }
      if (node !== undefined) return node;
      throw new StepFailure(
        `JavaScript actions cannot run in image "${image}": neither the runner's Node.js, which needs glibc and libstdc++, nor one of its own works in it. Use an image that has Node.js, or one of Debian, Ubuntu or Fedora`,
      );
    },
  };
}
