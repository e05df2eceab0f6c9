/** Prepares a container that has a file system, processes and rights of its own, and says how to start it. */
import { chmod, cp, mkdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "#lib";
import { RuntimeError } from "../errors.ts";
import type { UnpackedImage } from "../image/image-store.ts";
import { mountSources } from "../mount-sources.ts";
import type { ContainerSpec } from "../pod-runtime.ts";
import { containerArgv, defaultImagePath } from "../process/command-line.ts";
import { imageEnvironment, mapPorts, marksOf } from "../process/environment.ts";
import type { PreparedLaunch } from "../process/prepared-launch.ts";
import { checkNonRoot, grantedCapabilities } from "../security.ts";
import { capabilityNumbers } from "./capability-numbers.ts";
import { type ConfinePlan, type EnterIdentity, type EnterMount, type EnterPlan, planFile } from "./enter-plan.ts";
import { programIn } from "./own-root.ts";
import { seccompFilter } from "./seccomp.ts";
import { containerUser } from "./user.ts";

export interface IsolatedLaunchInput {
  readonly spec: ContainerSpec;
  readonly image: UnpackedImage;
  /** The container's folder. */
  readonly folder: string;
  readonly volumes: string;
  /** Files for the container's `/etc`, by name. */
  readonly etc: Readonly<Record<string, string>>;
  /** Name of the pod's network namespace; undefined for the machine's own. */
  readonly namespace: string | undefined;
  readonly overlay: boolean;
  readonly limitFiles: readonly string[];
  readonly tools: EnterTools;
}

export interface EnterTools {
  readonly nodePath: string;
  readonly codeCache: string;
  readonly searchPath: string;
}

export interface IsolatedLaunch {
  readonly argv: readonly string[];
  /** Of the processes that lead to the program. Nothing that the image or the pod says is in it. */
  readonly outerEnvironment: Readonly<Record<string, string>>;
  /** The program's own. */
  readonly environment: Readonly<Record<string, string>>;
}

export const messageFile = "message";
/**
 * Waits for the process that is the first of a new process namespace, or joins one: a namespace takes in children only.
 * Signals to the group are for that process, not for who waits; how it ended is told as a shell does, also when the kernel
 * killed it, which `unshare --fork` and `nsenter` do not.
 */
const waiting = ["/bin/sh", "-c", 'trap : HUP INT QUIT TERM USR1 USR2 ALRM PIPE TSTP WINCH; "$@"; exit $?', "sh"];
const enterProgram = fileURLToPath(import.meta.resolve("./process/main.ts"));

export async function isolatedLaunch(input: IsolatedLaunchInput): Promise<IsolatedLaunch> {
  const { spec, image, folder } = input;
  const { config, tree } = image;
  refuseWhatCannotBe(spec);
  checkNonRoot(spec.security, config.User);
  const user = await containerUser(tree, config.User, spec.security);
  const workingDir = absolute(spec.workingDir ?? config.WorkingDir);
  const environment = environmentOf(input, { ...imageEnvironment(config) }, user.home);
  const mounts = await mountSources(input.volumes, spec.mounts);
  const argv = containerArgv(config, spec);
  const program = await programIn({ tree, mounts }, argv, workingDir, environment["PATH"]);
  await makeFolders(input);
  const files = await etcMounts(folder, input.etc);
  const plan: EnterPlan = {
    folder,
    hostname: hostnameOf(spec.pod.name),
    mounts: [
      ...files,
      ...(await Promise.all(mounts.map(async (mount) => ({ ...mount, isFolder: await isFolder(mount.source) })))),
    ],
    readOnlyRoot: spec.security?.readOnlyRootFilesystem === true,
    workingDir,
    identity: {
      uid: user.uid,
      gid: user.gid,
      groups: user.groups,
      capabilities: capabilityNumbers(grantedCapabilities(spec.security)),
      noNewPrivileges: spec.security?.allowPrivilegeEscalation !== true,
      seccomp: spec.security?.seccomp === "RuntimeDefault",
    },
    limitFiles: input.limitFiles,
  };
  await writeFileAtomic(join(folder, planFile), JSON.stringify(plan), 0o600);
  const outside = input.namespace === undefined ? [] : ["nsenter", `--net=/run/netns/${input.namespace}`, "--"];
  const spaces = ["unshare", "--mount", "--propagation", "private", "--pid", "--ipc", "--uts", "--", ...waiting];
  const enter = [...enterCommand(input.tools), "start", join(folder, planFile)];
  return {
    argv: [...outside, ...spaces, ...enter, program, ...argv.slice(1)],
    outerEnvironment: outerEnvironment(input.tools, spec, folder),
    environment,
  };
}

/** How to run a command in the namespaces of a container whose first process is `init`. */
export async function isolatedCommand(
  folder: string,
  init: number,
  plan: EnterPlan,
  command: readonly string[],
  path: string | undefined,
  tools: EnterTools,
): Promise<readonly string[]> {
  const program = await programIn({ tree: `/proc/${init}/root`, mounts: [] }, command, plan.workingDir, path);
  const enter = [...enterCommand(tools), "beside", join(folder, planFile), String(init)];
  const spaces = ["nsenter", "--target", String(init), "--net", "--ipc", "--uts", "--pid"];
  return [...spaces, "--no-fork", "--", ...waiting, ...enter, program, ...command.slice(1)];
}

/** A plain launch whose process first gives up rights, or joins its limits. */
export async function confined(input: {
  readonly folder: string;
  readonly identity: EnterIdentity | undefined;
  readonly limitFiles: readonly string[];
  readonly launch: PreparedLaunch;
  readonly tools: EnterTools;
}): Promise<PreparedLaunch> {
  const { folder, identity, limitFiles, launch, tools } = input;
  const plan: ConfinePlan = { limitFiles, ...(identity === undefined ? {} : { identity }) };
  await writeFileAtomic(join(folder, planFile), JSON.stringify(plan), 0o600);
  const marks = Object.entries(launch.environment).filter(([name]) => name.startsWith("TIDEGATE_"));
  return {
    ...launch,
    argv: [...enterCommand(tools), "confine", join(folder, planFile), ...launch.argv],
    outerEnvironment: { PATH: tools.searchPath, NODE_COMPILE_CACHE: tools.codeCache, ...Object.fromEntries(marks) },
  };
}

function enterCommand({ nodePath }: EnterTools): readonly string[] {
  return [nodePath, "--no-warnings", enterProgram];
}

/** The mark is what finds the container's processes again. */
function outerEnvironment(
  { searchPath, codeCache }: EnterTools,
  { pod }: ContainerSpec,
  folder: string,
): Record<string, string> {
  return { PATH: searchPath, NODE_COMPILE_CACHE: codeCache, TIDEGATE_POD_UID: pod.uid, ...marksOf(folder) };
}

function environmentOf(
  { spec, folder }: IsolatedLaunchInput,
  ofImage: Record<string, string>,
  home: string,
): Record<string, string> {
  return {
    PATH: defaultImagePath,
    HOME: home,
    ...(spec.tty === true ? { TERM: "xterm" } : {}),
    HOSTNAME: hostnameOf(spec.pod.name),
    ...spec.links,
    ...mapPorts({ ...ofImage, ...spec.env }, spec),
    TIDEGATE_POD_UID: spec.pod.uid,
    ...marksOf(folder),
  };
}

function refuseWhatCannotBe({ name, security }: ContainerSpec): void {
  if (security?.privileged === true) {
    const message = `Cannot start container "${name}" privileged: an isolated container is not; the docker runtime can be allowed it`;
    throw new RuntimeError("runtime/refused", message);
  }
  if (security?.seccomp === "RuntimeDefault" && seccompFilter(process.arch) === undefined) {
    throw new RuntimeError("runtime/refused", `Cannot filter system calls on architecture "${process.arch}"`);
  }
}

function absolute(path: string | undefined): string {
  return path === undefined || path === "" ? "/" : path.startsWith("/") ? path : `/${path}`;
}

/** A host name has at most 63 bytes; a pod's name may be longer. */
function hostnameOf(podName: string): string {
  return podName.slice(0, 63).replace(/[-.]+$/, "");
}

async function makeFolders({ folder, image, overlay }: IsolatedLaunchInput): Promise<void> {
  await mkdir(join(folder, "root"), { recursive: true });
  if (overlay) {
    await symlink(image.tree, join(folder, "lower"));
    for (const name of ["upper", "work"]) await mkdir(join(folder, name));
    // The root folder that the container sees is this one.
    await chmod(join(folder, "upper"), 0o755);
  } else
    await cp(image.tree, join(folder, "root"), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
}

async function etcMounts(folder: string, etc: Readonly<Record<string, string>>): Promise<EnterMount[]> {
  const mounts: EnterMount[] = [];
  await mkdir(join(folder, "etc"), { recursive: true });
  for (const [name, text] of Object.entries(etc)) {
    const source = join(folder, "etc", name);
    await writeFile(source, text, { mode: 0o644 });
    mounts.push({ source, target: `/etc/${name}`, isFolder: false, readOnly: false });
  }
  const message = join(folder, messageFile);
  await writeFile(message, "");
  await chmod(message, 0o666);
  return [...mounts, { source: message, target: "/dev/termination-log", isFolder: false, readOnly: false }];
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path)).isDirectory();
}
