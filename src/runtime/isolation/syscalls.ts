/**
 * Calls of Linux that no API of Node.js reaches, by `node:ffi`. Each throws with its name and the kernel's reason. Loaded
 * by the short-lived process that becomes a container, so it imports nothing of ours.
 */
import { constants } from "node:os";
import { dlopen, getInt32, getRawPointer } from "node:ffi";

const { functions } = dlopen(null, {
  __errno_location: { return: "pointer", arguments: [] },
  mount: { return: "i32", arguments: ["pointer", "pointer", "pointer", "u64", "pointer"] },
  umount2: { return: "i32", arguments: ["pointer", "i32"] },
  sethostname: { return: "i32", arguments: ["pointer", "u64"] },
  setns: { return: "i32", arguments: ["i32", "i32"] },
  unshare: { return: "i32", arguments: ["i32"] },
  chdir: { return: "i32", arguments: ["pointer"] },
  prctl: { return: "i32", arguments: ["i32", "u64", "u64", "u64", "u64"] },
  capset: { return: "i32", arguments: ["pointer", "pointer"] },
  setgroups: { return: "i32", arguments: ["u64", "pointer"] },
  setresgid: { return: "i32", arguments: ["u32", "u32", "u32"] },
  setresuid: { return: "i32", arguments: ["u32", "u32", "u32"] },
  fcntl: { return: "i32", arguments: ["i32", "i32", "i32"] },
  signal: { return: "u64", arguments: ["i32", "u64"] },
  execve: { return: "i32", arguments: ["pointer", "pointer", "pointer"] },
  syscall: { return: "i64", arguments: ["i64", "i64", "i64", "i64", "i64"] },
});

/** Numbers that differ between architectures; those from 424 on are the same everywhere. */
const pivotRootNumber = process.arch === "arm64" ? 41 : 155;
const closeRangeNumber = 436;
const openat2Number = 437;

class SyscallError extends Error {
  readonly code: string;

  constructor(call: string, subject: string) {
    const errno = getInt32(functions.__errno_location());
    const code = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
    super(`${call} ${subject}: ${code}`);
    this.code = code;
  }
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

function checked(result: number | bigint, call: string, subject: string): void {
  if (Number(result) < 0) throw new SyscallError(call, subject);
}

export const MS = {
  readOnly: 1,
  noSuid: 2,
  noDev: 4,
  noExec: 8,
  remount: 32,
  bind: 4096,
  recursive: 16_384,
  private: 262_144,
} as const;

export function mount(source: string, target: string, type: string, flags: number, data = ""): void {
  const [from, to, kind, options] = [text(source), text(target), text(type), text(data)];
  const result = functions.mount(
    getRawPointer(from),
    getRawPointer(to),
    getRawPointer(kind),
    BigInt(flags),
    getRawPointer(options),
  );
  checked(result, `mount ${type === "" ? "bind" : type} at`, target);
}

/** Makes the present folder the root, and lets the old one go. */
export function pivotHere(): void {
  const here = text(".");
  const pointer = getRawPointer(here);
  // pivot_root(".", "."): the old root comes to lie on top of the new one (pivot_root(2), "pivot_root(".", ".")").
  checked(functions.syscall(BigInt(pivotRootNumber), pointer, pointer, 0n, 0n), "pivot_root", ".");
  const detach = 2;
  checked(functions.umount2(pointer, detach), "umount", "the old root");
}

export function changeFolder(path: string): void {
  const name = text(path);
  checked(functions.chdir(getRawPointer(name)), "chdir", path);
}

export function setHostname(name: string): void {
  const bytes = Buffer.from(name);
  checked(functions.sethostname(getRawPointer(bytes), BigInt(bytes.length)), "sethostname", name);
}

/** Joins the mount namespace behind `fd`; root and working directory become that namespace's. */
export function joinMounts(fd: number): void {
  const [cloneFs, cloneNewNs] = [0x200, 0x20000];
  // Only who shares root and working directory with no other thread may change the mount namespace.
  checked(functions.unshare(cloneFs), "unshare", "fs");
  checked(functions.setns(fd, cloneNewNs), "setns", "mnt");
}

/** Opens `path` as a process with root `rootFd` would: no link leads out. Undefined when it is not there. */
export function openInRoot(rootFd: number, path: string): number | undefined {
  const [oPath, oCloexec, resolveInRoot] = [0o10000000, 0o2000000, 0x10];
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(oPath | oCloexec), 0);
  how.writeBigUInt64LE(BigInt(resolveInRoot), 16);
  const name = text(path);
  const fd = functions.syscall(
    BigInt(openat2Number),
    BigInt(rootFd),
    getRawPointer(name),
    getRawPointer(how),
    BigInt(how.length),
  );
  if (Number(fd) >= 0) return Number(fd);
  const error = new SyscallError("open", path);
  if (error.code === "ENOENT") return undefined;
  throw error;
}

export function prctl(option: number, a: number | bigint = 0, b: number | bigint = 0): number {
  return functions.prctl(option, BigInt(a), BigInt(b), 0n, 0n);
}

export function setIdentity(uid: number, gid: number, groups: readonly number[]): void {
  const list = Buffer.alloc(Math.max(4, groups.length * 4));
  for (const [index, group] of groups.entries()) list.writeUInt32LE(group, index * 4);
  checked(functions.setgroups(BigInt(groups.length), getRawPointer(list)), "setgroups", groups.join(","));
  checked(functions.setresgid(gid, gid, gid), "setresgid", String(gid));
  checked(functions.setresuid(uid, uid, uid), "setresuid", String(uid));
}

/** Effective and permitted capabilities of this thread; none are inherited. */
export function setCapabilities(numbers: readonly number[]): void {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x20080522, 0); // version 3: two words of 32 bits each
  const sets = Buffer.alloc(24);
  for (const word of [0, 1]) {
    const mask = numbers
      .filter((number) => number >> 5 === word)
      .reduce((bits, number) => bits | (1 << (number & 31)), 0);
    sets.writeUInt32LE(mask >>> 0, word * 12);
    sets.writeUInt32LE(mask >>> 0, word * 12 + 4);
  }
  checked(functions.capset(getRawPointer(head), getRawPointer(sets)), "capset", numbers.join(","));
}

/** Signals that Node.js ignores would stay ignored in the program. */
export function resetSignals(): void {
  for (let number = 1; number < 32; number++) if (number !== 9 && number !== 19) functions.signal(number, 0n);
}

/** No file of this process but its three streams goes on in the program; these Node.js would close too. */
export function closeFilesOnExec(): void {
  const [setFlags, none] = [2, 0];
  for (const stream of [0, 1, 2]) functions.fcntl(stream, setFlags, none);
  const closeOnExec = 4n;
  checked(functions.syscall(BigInt(closeRangeNumber), 3n, 0xffffffffn, closeOnExec, 0n), "close_range", "3");
}

/** Installs a filter of system calls: instructions of classic BPF, eight bytes each. */
export function installSeccomp(program: Buffer): void {
  const description = Buffer.alloc(16);
  description.writeUInt16LE(program.length / 8, 0);
  description.writeBigUInt64LE(BigInt(getRawPointer(program)), 8);
  const [setSeccomp, filterMode] = [22, 2];
  checked(prctl(setSeccomp, filterMode, getRawPointer(description)), "prctl", "seccomp");
}

/** Replaces this process. Returns only by throwing. */
export function execve(path: string, argv: readonly string[], environment: Readonly<Record<string, string>>): never {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const [args, env, file] = [vector(argv), vector(variables), text(path)];
  functions.execve(getRawPointer(file), getRawPointer(args.pointers), getRawPointer(env.pointers));
  const error = new SyscallError("exec", path);
  // What the pointers point to must live until here.
  args.texts.length = env.texts.length = 0;
  throw error;
}

function vector(values: readonly string[]): { readonly pointers: Buffer; readonly texts: Buffer[] } {
  const texts = values.map(text);
  const pointers = Buffer.alloc((values.length + 1) * 8);
  for (const [index, value] of texts.entries()) pointers.writeBigUInt64LE(BigInt(getRawPointer(value)), index * 8);
  return { pointers, texts };
}
