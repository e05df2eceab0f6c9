/**
 * Becomes a container's program, or a command beside it. Started in fresh namespaces (`unshare`, `nsenter`), it makes the
 * file system, gives up rights, and is replaced by the program, so that nothing of it stays: no process, no file.
 *
 *   node process/main.ts start <plan> <program> [argument...]
 *   node process/main.ts beside <plan> <pid> <program> [argument...]
 *   node process/main.ts confine <plan> <program> [argument...]
 *
 * Nothing of the container's own environment reaches this process before it is confined: variables such as NODE_OPTIONS
 * or LD_PRELOAD would let an image run code outside.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  type ConfinePlan,
  type EnterIdentity,
  type EnterMount,
  type EnterPlan,
  environmentFd,
  initFile,
  startTime,
} from "../enter-plan.ts";
import { seccompFilter } from "../seccomp.ts";
import {
  changeFolder,
  closeFilesOnExec,
  execve,
  installSeccomp,
  joinMounts,
  mount,
  MS,
  openInRoot,
  pivotHere,
  prctl,
  resetSignals,
  setCapabilities,
  setHostname,
  setIdentity,
} from "../syscalls.ts";

/** As a shell says it: found and not executable. Ours to say for anything that kept the program from starting. */
const cannotStart = 126;
const lastCapability = 63;
const harmless = MS.noSuid | MS.noDev | MS.noExec;

/** What of /proc and /sys tells of the machine or changes it. */
const hidden = [
  "/proc/kcore",
  "/proc/keys",
  "/proc/timer_list",
  "/proc/sched_debug",
  "/proc/latency_stats",
  "/sys/firmware",
];
const unchangeable = ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"];

try {
  const [mode, planPath = "", ...rest] = process.argv.slice(2);
  const plan: unknown = JSON.parse(readFileSync(planPath, "utf8"));
  if (mode === "start") start(plan as EnterPlan, rest);
  else if (mode === "beside") beside(plan as EnterPlan, Number(rest[0]), rest.slice(1));
  else confine(plan as ConfinePlan, rest);
} catch (error) {
  process.stderr.write(
    `Cannot start the container's program: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = cannotStart;
}

function start(plan: EnterPlan, argv: readonly string[]): never {
  const environment = JSON.parse(readFileSync(environmentFd, "utf8")) as Record<string, string>;
  // The /proc that is still seen here is the machine's, so this is the pid there.
  const started = startTime(readFileSync("/proc/self/stat", "latin1"));
  writeFileSync(join(plan.folder, initFile), `${readlinkSync("/proc/self")} ${started}`);
  const limits = plan.limitFiles.map((path) => openSync(path, "w"));
  const root = join(plan.folder, "root");
  makeRoot(plan);
  const rootFd = openSync(root, "r");
  makeDevices(rootFd);
  makeKernelFolders(rootFd);
  for (const each of plan.mounts) bindInRoot(rootFd, each);
  placeIn(rootFd, plan.workingDir, true);
  closeSync(rootFd);
  setHostname(plan.hostname);
  changeFolder(root);
  if (plan.readOnlyRoot) mount("", ".", "", MS.remount | MS.bind | MS.readOnly | MS.noDev);
  pivotHere();
  changeFolder(plan.workingDir);
  for (const fd of limits) writeSync(fd, "0");
  become(plan.identity, argv, environment);
}

function beside(plan: EnterPlan, pid: number, argv: readonly string[]): never {
  const environment = environmentOf(pid);
  for (const [name, value] of Object.entries(environmentOf("self"))) {
    if (name.startsWith("TIDEGATE_EXEC_") || name === "TERM") environment[name] = value;
  }
  const limits = plan.limitFiles.map((path) => openSync(path, "w"));
  const mounts = openSync(`/proc/${pid}/ns/mnt`, "r");
  joinMounts(mounts);
  changeFolder(plan.workingDir);
  for (const fd of limits) writeSync(fd, "0");
  become(plan.identity, argv, environment);
}

/** For a plain process: the machine's file system and processes, with less rights and within limits. */
function confine(plan: ConfinePlan, argv: readonly string[]): never {
  const environment = JSON.parse(readFileSync(environmentFd, "utf8")) as Record<string, string>;
  for (const path of plan.limitFiles) writeFileSync(path, "0");
  if (plan.identity !== undefined) become(plan.identity, argv, environment);
  resetSignals();
  closeFilesOnExec();
  execve(argv[0] ?? "", argv, environment);
}

/** What a process was started with. One that is about to run another program has none for a moment. */
function environmentOf(pid: number | "self"): Record<string, string> {
  let text = "";
  for (let look = 0; look < 200 && text === ""; look++) {
    if (look > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    text = readFileSync(`/proc/${pid}/environ`, "utf8");
  }
  const pairs = text.split("\0").filter((pair) => pair.includes("="));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}

/** Last of all: from here on this process can do no more than the program may. */
function become(identity: EnterIdentity, argv: readonly string[], environment: Record<string, string>): never {
  const [clearAmbient, dropBounding, noNewPrivileges] = [4, 24, 38];
  const ambient = 47;
  for (let number = 0; number <= lastCapability; number++) {
    // Beyond the kernel's last capability this fails, and means nothing.
    if (!identity.capabilities.includes(number)) prctl(dropBounding, number);
  }
  prctl(ambient, clearAmbient);
  resetSignals();
  closeFilesOnExec();
  // Who is not root is who it is to be.
  if (process.getuid?.() === 0) setIdentity(identity.uid, identity.gid, identity.groups);
  // Another user than root has no capabilities left, and gets none back.
  if (identity.uid === 0) setCapabilities(identity.capabilities);
  if (identity.noNewPrivileges || identity.seccomp) prctl(noNewPrivileges, 1);
  const filter = identity.seccomp ? seccompFilter(process.arch) : undefined;
  if (filter !== undefined) installSeccomp(filter);
  execve(argv[0] ?? "", argv, environment);
}

/** The image below, the container's own changes above. Relative names: the options cannot hold every path. */
function makeRoot(plan: EnterPlan): void {
  const root = join(plan.folder, "root");
  if (existsSync(join(plan.folder, "lower"))) {
    changeFolder(plan.folder);
    mount("overlay", root, "overlay", MS.noDev, "lowerdir=lower,upperdir=upper,workdir=work");
  } else mount(root, root, "", MS.bind);
}

function makeDevices(rootFd: number): void {
  const dev = placeIn(rootFd, "/dev", true);
  mount("tmpfs", dev, "tmpfs", MS.noSuid | MS.noExec, "mode=755,size=65536k");
  const at = placeIn(rootFd, "/dev", true);
  for (const name of ["null", "zero", "full", "random", "urandom", "tty"]) {
    writeFileSync(join(at, name), "");
    mount(`/dev/${name}`, join(at, name), "", MS.bind);
  }
  mkdirSync(join(at, "pts"));
  mount("devpts", join(at, "pts"), "devpts", MS.noSuid | MS.noExec, "newinstance,ptmxmode=0666,mode=0620,gid=5");
  mkdirSync(join(at, "shm"));
  mount("shm", join(at, "shm"), "tmpfs", harmless, "mode=1777,size=65536k");
  for (const [name, target] of [
    ["ptmx", "pts/ptmx"],
    ["fd", "/proc/self/fd"],
    ["stdin", "/proc/self/fd/0"],
    ["stdout", "/proc/self/fd/1"],
    ["stderr", "/proc/self/fd/2"],
  ] as const) {
    symlinkSync(target, join(at, name));
  }
}

function makeKernelFolders(rootFd: number): void {
  mount("proc", placeIn(rootFd, "/proc", true), "proc", harmless);
  mount("sysfs", placeIn(rootFd, "/sys", true), "sysfs", harmless | MS.readOnly);
  const tmp = placeIn(rootFd, "/tmp", true);
  if (statSync(tmp).uid === 0) chmodSync(tmp, 0o1777);
  for (const path of hidden) {
    const fd = openInRoot(rootFd, path);
    if (fd === undefined) continue;
    const at = `/proc/self/fd/${fd}`;
    if (statSync(at).isDirectory()) mount("tmpfs", at, "tmpfs", harmless | MS.readOnly, "size=0");
    else mount("/dev/null", at, "", MS.bind);
    closeSync(fd);
  }
  for (const path of unchangeable) {
    const fd = openInRoot(rootFd, path);
    if (fd === undefined) continue;
    mount(`/proc/self/fd/${fd}`, `/proc/self/fd/${fd}`, "", MS.bind | MS.recursive);
    closeSync(fd);
    remount(rootFd, path, MS.readOnly | harmless);
  }
}

function bindInRoot(rootFd: number, { source, target, isFolder, readOnly }: EnterMount): void {
  mount(source, placeIn(rootFd, target, isFolder), "", MS.bind | MS.recursive);
  remount(rootFd, target, MS.noDev | MS.noSuid | (readOnly ? MS.readOnly : 0));
}

/** A bind takes its flags in a second step, and through a name that is looked up anew: what is on top now. */
function remount(rootFd: number, path: string, flags: number): void {
  const fd = openInRoot(rootFd, path);
  if (fd === undefined) throw new Error(`"${path}" is not there after it was mounted`);
  mount("", `/proc/self/fd/${fd}`, "", MS.remount | MS.bind | flags);
  closeSync(fd);
}

/** A name for `path` of the new root, made where it is not there; no link of the image or of a volume leads out. */
function placeIn(rootFd: number, path: string, isFolder: boolean): string {
  const found = openInRoot(rootFd, path);
  if (found !== undefined) return `/proc/self/fd/${found}`;
  const parent = placeIn(rootFd, dirname(path), true);
  const name = join(parent, basename(path));
  if (isFolder) mkdirSync(name, 0o755);
  else writeFileSync(name, "", { flag: "wx" });
  const made = openInRoot(rootFd, path);
  if (made === undefined) throw new Error(`"${path}" cannot be made in the container`);
  return `/proc/self/fd/${made}`;
}
