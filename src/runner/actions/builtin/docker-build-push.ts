/** `docker/build-push-action`: Tidegate's own packer, or the container engine when the Dockerfile has RUN. */
import { mkdir, readFile, rm } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import {
  buildImage,
  buildWithEngine,
  ImageError,
  needsEngine,
  parseDockerfile,
  parseImageReference,
  parsePlatform,
  platformOf,
  pushImage,
  type ContainerEngine,
  type EngineSearch,
  type Platform,
} from "#images";
import { formatProblem, type Problem } from "#lib";
import { StepFailure } from "../../errors.ts";
import { stepEnvironment } from "../../steps/step-env.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { fetchAndCheckout, wantOf } from "../git-fetch.ts";
import { gitRemote } from "../git/git-remote.ts";
import { registryClientFor } from "../own-server.ts";

export const dockerBuildPush: BuiltinAction = {
  name: "docker/build-push-action",
  inputs: {
    "add-hosts": "",
    allow: "",
    annotations: "",
    attests: "",
    "build-args": "",
    "build-contexts": "",
    builder: "",
    "cache-from": "",
    "cache-to": "",
    call: "",
    "cgroup-parent": "",
    context: "",
    file: "",
    labels: "",
    load: "false",
    network: "",
    "no-cache": "false",
    "no-cache-filters": "",
    outputs: "",
    platforms: "",
    provenance: "",
    pull: "false",
    push: "false",
    sbom: "",
    secrets: "",
    "secret-envs": "",
    "secret-files": "",
    "shm-size": "",
    ssh: "",
    tags: "",
    target: "",
    ulimit: "",
    "github-token": "",
  },
  versions: { annotations: { since: 5 }, "secret-envs": { since: 5 }, call: { since: 6 } },
  sensitive: ["github-token", "secrets"],
  main: buildAndPush,
};

interface Request {
  readonly contextFolder: string;
  readonly dockerfilePath: string;
  readonly dockerfileName: string;
  readonly target: string | undefined;
  readonly platform: Platform;
  readonly tags: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly push: boolean;
}

interface Result {
  readonly imageId: string;
  readonly digest: string;
}

async function buildAndPush(call: ActionCall): Promise<void> {
  for (const name of ["load", "no-cache", "pull", "push"]) call.flag(name);
  refuseUnsupported(call);
  const context = await contextFolder(call);
  try {
    const request = readRequest(call, context.folder);
    const result = await build(call, request);
    const [name = ""] = request.tags;
    call.setOutput("imageid", result.imageId);
    call.setOutput("digest", result.digest);
    const metadata = {
      "containerimage.config.digest": result.imageId,
      "containerimage.digest": result.digest,
      "image.name": request.tags.join(","),
    };
    call.setOutput("metadata", JSON.stringify(metadata, undefined, 2));
    call.log(
      request.push
        ? `Pushed ${name} as ${result.digest}`
        : `Built ${result.digest}; "push" is false, so it was not sent anywhere`,
    );
  } catch (error) {
    if (error instanceof ImageError) throw new StepFailure(error.message, error);
    throw error;
  } finally {
    await context[Symbol.asyncDispose]();
  }
}

function refuseUnsupported(call: ActionCall): void {
  for (const name of ["build-contexts", "secrets", "secret-envs", "secret-files", "ssh", "outputs", "call"]) {
    if (call.text(name) === "") continue;
    throw new StepFailure(`Input "${name}" of the built-in docker/build-push-action is not supported: leave it out`);
  }
  if (call.list("platforms", true).length > 1) {
    throw new StepFailure(
      `Several platforms at once are not supported: use one job a platform (a matrix). Asked for: ${call.text("platforms")}`,
    );
  }
  for (const name of ["cache-from", "cache-to"]) {
    if (call.text(name) !== "")
      call.log(`"${name}" has no effect here: layers are kept in the runner's own image cache`);
  }
}

function readRequest(call: ActionCall, folder: string): Request {
  const { workspace } = call.parts.folders;
  const file = call.text("file");
  const fromGit = folder.startsWith(join(call.parts.folders.temp, "context-"));
  const dockerfilePath =
    file === "" ? join(folder, "Dockerfile") : isAbsolute(file) ? file : join(fromGit ? folder : workspace, file);
  const platformText = call.list("platforms", true)[0];
  const platform = platformText === undefined ? platformOf(process.arch) : parsePlatform(platformText);
  if (platform === undefined)
    throw new StepFailure(`"${platformText}" is not a platform: write linux/amd64 or linux/arm64`);
  const tags = call.list("tags", true);
  const push = call.flag("push");
  for (const tag of tags) parseImageReference(tag);
  if (push && tags.length === 0) throw new StepFailure('Cannot push: "tags" names no image');
  return {
    contextFolder: folder,
    dockerfilePath,
    dockerfileName: relative(fromGit ? folder : workspace, dockerfilePath),
    target: call.text("target") || undefined,
    platform,
    tags,
    labels: keyValues(call.list("labels"), "label"),
    buildArgs: keyValues(call.list("build-args"), "build argument"),
    push,
  };
}

function keyValues(lines: readonly string[], what: string): Record<string, string> {
  const entries = lines.map((line) => {
    const equals = line.indexOf("=");
    if (equals <= 0) throw new StepFailure(`The ${what} "${line.slice(0, 40)}" has no value: write <key>=<value>`);
    return [line.slice(0, equals), line.slice(equals + 1)];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}

/** A path in the workspace; without `context` the commit itself, as it is in the repository. */
async function contextFolder(call: ActionCall): Promise<{ folder: string } & AsyncDisposable> {
  const { folders, assignment, ids } = call.parts;
  const context = call.text("context");
  if (/^(?:https?|git|ssh):\/\//.test(context)) {
    throw new StepFailure('A URL as "context" is not supported: check the repository out and use its path');
  }
  if (context !== "") {
    const folder = isAbsolute(context) ? context : join(folders.workspace, context);
    return { folder, async [Symbol.asyncDispose]() {} };
  }
  const folder = join(folders.temp, `context-${ids.uuid()}`);
  await mkdir(folder, { recursive: true });
  const token = assignment.secrets["GITHUB_TOKEN"] ?? "";
  const remote = await gitRemote(call, assignment.repository, { token });
  try {
    const options = { cwd: folder, env: remote.env, quiet: true };
    await call.run("git", ["-c", "init.defaultBranch=main", "init", "--quiet"], options);
    await call.run("git", ["remote", "add", "origin", remote.url], options);
    const want = wantOf(assignment.ref, assignment.sha);
    await fetchAndCheckout(call, folder, { want, depth: 1, tags: false }, remote);
    call.log(`Building from ${assignment.repository} at ${assignment.sha} (no "context" was given)`);
  } finally {
    await rm(remote.credentials, { force: true });
  }
  await rm(join(folder, ".git"), { recursive: true, force: true });
  return { folder, [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true, force: true }) };
}

async function build(call: ActionCall, request: Request): Promise<Result> {
  const text = await readFile(request.dockerfilePath, "utf8").catch(() => undefined);
  const parsed = text === undefined ? undefined : parseDockerfile(text, request.dockerfileName).value;
  if (parsed === undefined || !needsEngine(parsed, request.target))
    return await buildNatively(call, request, undefined);
  const search = await call.parts.runner.engine(call.step.stop);
  if (search.engine === undefined) return await buildNatively(call, request, search);
  return await buildInEngine(call, request, search.engine);
}

async function buildNatively(call: ActionCall, request: Request, search: EngineSearch | undefined): Promise<Result> {
  const { parts, step } = call;
  const { logins } = step.scope.job;
  const registry = registryClientFor(call, (host) => logins.get(host));
  const { target, ...rest } = request;
  const outcome = await buildImage({
    ...rest,
    ...(target === undefined ? {} : { target }),
    cacheFolder: parts.folders.imageCache,
    registry,
    clock: parts.clock,
    ...(search === undefined ? {} : { engineSearch: search.summary }),
    signal: step.stop,
    onProgress: (line) => call.log(line),
  });
  if (outcome.kind === "problems") throw reportProblems(call, request, outcome.problems);
  for (const warning of outcome.warnings) call.warn(formatProblem(warning));
  if (request.push) {
    const references = request.tags.map(parseImageReference);
    await pushImage(registry, outcome.image, references, { signal: step.stop, onProgress: (line) => call.log(line) });
  }
  return { imageId: outcome.image.configDigest, digest: outcome.image.digest };
}

/** Each problem is an annotation at its line of the Dockerfile. */
function reportProblems(call: ActionCall, request: Request, problems: readonly Problem[]): StepFailure {
  for (const problem of problems) {
    call.log(`##[error]${formatProblem(problem)}`);
    call.step.scope.job.annotate({
      level: "error",
      message: problem.message,
      path: request.dockerfileName,
      ...(problem.at?.line === undefined ? {} : { startLine: problem.at.line }),
      ...(problem.at?.column === undefined ? {} : { startColumn: problem.at.column }),
      step: call.step.output.target.stepNumber,
    });
  }
  return new StepFailure(
    `Cannot build "${request.dockerfileName}": ${problems.length === 1 ? "see the problem" : `see the ${problems.length} problems`} above`,
  );
}

async function buildInEngine(call: ActionCall, request: Request, engine: ContainerEngine): Promise<Result> {
  call.log(`The Dockerfile has RUN: building with ${engine.program} ${engine.version}`);
  const { target, ...rest } = request;
  const result = await buildWithEngine(engine, {
    ...rest,
    ...(target === undefined ? {} : { target }),
    credentials: call.step.scope.job.logins,
    env: stepEnvironment(call.step, undefined),
    tempFolder: call.parts.folders.temp,
    signal: call.step.stop,
    onProgress: (line) => call.log(line),
  });
  return { imageId: result.imageId, digest: result.digest ?? "" };
}
