/** A stage of a Docker action: its image, a container of it in the job's network, and what it prints. */
import { dirname } from "node:path";
import { FrameReader, isEngineStatus } from "#engine";
import { errorMessage, withDeadline } from "#lib";
import type { ContainerSpec } from "#workflows";
import { StepFailure } from "../errors.ts";
import { stopLadder, type GroupEnd, type GroupOptions } from "../exec/process-group.ts";
import type { RunningStep } from "../steps/scope.ts";
import type { StepHost } from "../steps/step-host.ts";
import { runStepProgram } from "../steps/run-program.ts";
import { containerRequest } from "./container-request.ts";
import { engineSocket, type JobContainers } from "./job-containers.ts";
import { buildImage, fetchImage, loginFor } from "./job-images.ts";
import { PathMap, type Mount } from "./path-map.ts";

export interface DockerStage {
  /** `docker://image`, or the path of a Dockerfile in the action's folder. */
  readonly image: string;
  /** Where the action's files are; of an image alone there are none. */
  readonly folder?: string;
  readonly entrypoint?: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const askMs = 30_000;

/** Images that steps of this job have made or fetched: each once. */
const ready = new WeakMap<JobContainers, Map<string, Promise<string>>>();

export async function runDockerStage(step: RunningStep, containers: JobContainers, stage: DockerStage): Promise<void> {
  const image = await imageOf(step, containers, stage);
  const mounts = mountsOf(containers);
  const host = actionHost(containers, image, stage, mounts);
  const [program = "", ...args] = stage.args;
  await runStepProgram(step, { program, args, cwd: "/github/workspace", env: stage.env }, host);
}

async function imageOf(step: RunningStep, containers: JobContainers, stage: DockerStage): Promise<string> {
  const known = ready.get(containers) ?? new Map<string, Promise<string>>();
  ready.set(containers, known);
  const key = `${stage.folder ?? ""} ${stage.image}`;
  const image = known.get(key) ?? makeImage(step, containers, stage);
  known.set(key, image);
  try {
    return await image;
  } catch (error) {
    known.delete(key);
    throw error;
  }
}

async function makeImage(
  step: RunningStep,
  containers: JobContainers,
  { image, folder }: DockerStage,
): Promise<string> {
  const { engine } = containers.engine;
  const say = (text: string): void => {
    step.output.write(text);
    step.output.flush();
  };
  say("##[group]Image of the action");
  try {
    const reference = /^docker:\/\/(.+)$/.exec(image)?.[1];
    if (reference !== undefined) {
      await fetchImage(engine, reference, loginFor(reference, containers.job), say, step.stop);
      return reference;
    }
    if (folder === undefined) throw new StepFailure(`Cannot run image "${image}": write docker://${image}`);
    return await buildImage(engine, folder, image.replace(/^\.\//, ""), say, step.stop);
  } finally {
    say("##[endgroup]");
  }
}

/** Where programs of Docker actions look for things on GitHub's runner. */
function mountsOf({ job, engine }: JobContainers): readonly Mount[] {
  const { folders } = job.parts;
  return [
    { source: folders.workspace, target: "/github/workspace" },
    { source: folders.containerHome, target: "/github/home" },
    { source: dirname(folders.eventPath), target: "/github/workflow" },
    { source: folders.fileCommands, target: "/github/file_commands" },
    { source: folders.temp, target: "/github/runner_temp" },
    ...engineSocket(engine.engine),
  ];
}

/** A container of its own for one program; the image says what is not given. */
function actionHost(containers: JobContainers, image: string, stage: DockerStage, mounts: readonly Mount[]): StepHost {
  const paths = new PathMap(mounts);
  const outer = containers.host;
  return {
    kind: "container",
    baseEnv: { PATH: usualPath, HOME: "/github/home" },
    // What a step in the job's container knows by that container's paths is found by the machine's.
    inside: (text) => paths.inside(outer?.outside(text) ?? text),
    outside: (text) => paths.outside(text),
    shows: (text) => paths.has(text),
    find: (program) => program,
    node: () => Promise.reject(new StepFailure("A Docker action is no JavaScript action")),
    run: (program, args, options) =>
      runOnce(containers, image, program === "" ? [] : [program, ...args], stage.entrypoint, mounts, options),
  };
}

async function runOnce(
  containers: JobContainers,
  image: string,
  args: readonly string[],
  entrypoint: string | undefined,
  mounts: readonly Mount[],
  options: GroupOptions,
): Promise<GroupEnd> {
  const { engine } = containers;
  // The image's own PATH counts unless steps have added to it.
  const env = Object.fromEntries(
    Object.entries(options.env).filter(([name, value]) => name !== "PATH" || value !== usualPath),
  );
  const spec: ContainerSpec = { image, env, ports: [], volumes: [] };
  const network = await containers.actionNetwork(options.stop);
  const request = containerRequest({ image, spec, labels: engine.labels, mounts, network, workdir: options.cwd });
  const entry = entrypoint === undefined || entrypoint === "" ? {} : { Entrypoint: [entrypoint] };
  const body = {
    ...request,
    ...entry,
    ...(args.length > 0 ? { Cmd: args } : {}),
    AttachStdout: true,
    AttachStderr: true,
  };
  const id = await creating(() => engine.create("action", body, options.stop), image);
  try {
    return await follow(containers, id, options, image);
  } finally {
    await engine.remove(id, asking());
  }
}

async function follow({ engine }: JobContainers, id: string, options: GroupOptions, image: string): Promise<GroupEnd> {
  const query = "stream=1&stdout=1&stderr=1";
  const never = new AbortController().signal;
  const socket = await engine.engine.hijack(`/containers/${id}/attach?${query}`, { signal: never });
  try {
    const frames = new FrameReader();
    socket.on("data", (chunk: Buffer) => {
      for (const { stream, bytes } of frames.push(chunk)) options.onOutput(stream, bytes);
    });
    const closed = new Promise<void>((resolve) => {
      for (const end of ["end", "close", "error"] as const) socket.once(end, () => resolve());
    });
    await creating(() => engine.start(id, options.stop), image);
    using _ladder = stopLadder((signal) => kill(engine, id, signal), options);
    options.onStarted?.();
    await closed;
    const { StatusCode } = await engine.engine.json<{ StatusCode: number }>("POST", `/containers/${id}/wait`, {
      signal: asking(),
    });
    return { exitCode: StatusCode, pid: 0 };
  } finally {
    socket.destroy();
  }
}

async function creating<T>(make: () => Promise<T>, image: string): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!isEngineStatus(error, 400, 404, 409, 500)) throw error;
    throw new StepFailure(`Cannot start a container of "${image}": ${errorMessage(error)}`, error);
  }
}

function kill(engine: JobContainers["engine"], id: string, signal: NodeJS.Signals): void {
  // It may have ended meanwhile.
  void engine.engine.send("POST", `/containers/${id}/kill`, { query: { signal }, signal: asking() }).catch(() => {});
}

function asking(): AbortSignal {
  return withDeadline(new AbortController().signal, askMs);
}
