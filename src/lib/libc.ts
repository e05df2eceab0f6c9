/**
 * The few functions of libc that no API of Node.js reaches, by `node:ffi`, which Node.js 26 has: no native module to
 * build or to download. Where that is missing, `libc` rejects and callers say what cannot be had, or do without.
 *
 * Every address that goes in lies in a buffer that the caller uses again after the call: what nobody uses any more may be
 * collected between taking its address and the call.
 */
export interface LibC {
  /** Both ends, closed in children: pipe2(2). */
  pipe(): { readonly reading: number; readonly writing: number };
  /** Two ends, closed in children, that read what is written to the other: socketpair(2). */
  socketPair(): readonly [number, number];
  unlockpt(fd: number): void;
  ptsname(fd: number): string;
  /** What is 0 when all is well answers the number of the error otherwise. */
  readonly spawn: SpawnCalls;
  /** The wait status of a child that has ended, undefined of one that runs on; throws where there is no such child. */
  endOf(pid: number): number | undefined;
  addressOf(buffer: Buffer): bigint;
}

/** posix_spawn(3). Addresses are of buffers large enough for glibc's and musl's structures. */
interface SpawnCalls {
  initActions(actions: bigint): number;
  addOpen(actions: bigint, fd: number, path: bigint, flags: number, mode: number): number;
  addDuplicate(actions: bigint, fd: number, newFd: number): number;
  addFolder(actions: bigint, path: bigint): number;
  destroyActions(actions: bigint): number;
  initAttributes(attributes: bigint): number;
  setFlags(attributes: bigint, flags: number): number;
  setDefaultSignals(attributes: bigint, set: bigint): number;
  setSignalMask(attributes: bigint, set: bigint): number;
  spawn(
    pid: bigint,
    path: bigint,
    actions: bigint,
    attributes: bigint,
    argumentList: bigint,
    environment: bigint,
  ): number;
}

/** O_CLOEXEC and SOCK_CLOEXEC of Linux on x86-64 and arm64. */
const closeOnExec = 0o2000000;
const afUnix = 1;
const sockStream = 1;
const wnohang = 1;

let loaded: Promise<LibC> | undefined;

export function libc(): Promise<LibC> {
  loaded ??= load();
  return loaded;
}

/** Node.js warns once in each process that this interface is young, with which users can do nothing. */
async function withoutWarning<T>(load: () => Promise<T>): Promise<T> {
  const { emitWarning } = process;
  process.emitWarning = (warning: string | Error, ...more: unknown[]): void => {
    if (!String(warning).startsWith("FFI")) Reflect.apply(emitWarning, process, [warning, ...more]);
  };
  try {
    return await load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

async function load(): Promise<LibC> {
  const { dlopen, getRawPointer } = await withoutWarning(async () => await import("node:ffi"));
  // null: what this process has loaded already, libc with it.
  const { functions } = dlopen(null, {
    pipe2: { return: "i32", arguments: ["pointer", "i32"] },
    socketpair: { return: "i32", arguments: ["i32", "i32", "i32", "pointer"] },
    unlockpt: { return: "i32", arguments: ["i32"] },
    ptsname_r: { return: "i32", arguments: ["i32", "pointer", "u64"] },
    waitpid: { return: "i32", arguments: ["i32", "pointer", "i32"] },
    posix_spawn: { return: "i32", arguments: ["pointer", "pointer", "pointer", "pointer", "pointer", "pointer"] },
    posix_spawn_file_actions_init: { return: "i32", arguments: ["pointer"] },
    posix_spawn_file_actions_addopen: { return: "i32", arguments: ["pointer", "i32", "pointer", "i32", "u32"] },
    posix_spawn_file_actions_adddup2: { return: "i32", arguments: ["pointer", "i32", "i32"] },
    posix_spawn_file_actions_addchdir_np: { return: "i32", arguments: ["pointer", "pointer"] },
    posix_spawn_file_actions_destroy: { return: "i32", arguments: ["pointer"] },
    posix_spawnattr_init: { return: "i32", arguments: ["pointer"] },
    posix_spawnattr_setflags: { return: "i32", arguments: ["pointer", "i16"] },
    posix_spawnattr_setsigdefault: { return: "i32", arguments: ["pointer", "pointer"] },
    posix_spawnattr_setsigmask: { return: "i32", arguments: ["pointer", "pointer"] },
  });
  return {
    pipe() {
      const pair = Buffer.alloc(8);
      if (functions.pipe2(getRawPointer(pair), closeOnExec) !== 0) throw new Error("pipe2 failed");
      return { reading: pair.readInt32LE(0), writing: pair.readInt32LE(4) };
    },
    socketPair() {
      const pair = Buffer.alloc(8);
      const failed = functions.socketpair(afUnix, sockStream | closeOnExec, 0, getRawPointer(pair));
      if (failed !== 0) throw new Error("socketpair failed");
      return [pair.readInt32LE(0), pair.readInt32LE(4)];
    },
    unlockpt(fd) {
      if (functions.unlockpt(fd) !== 0) throw new Error("unlockpt failed");
    },
    ptsname(fd) {
      const name = Buffer.alloc(256);
      if (functions.ptsname_r(fd, getRawPointer(name), BigInt(name.length)) !== 0) throw new Error("ptsname_r failed");
      return name.toString("utf8", 0, name.indexOf(0));
    },
    endOf(pid) {
      const status = Buffer.alloc(4);
      const found = functions.waitpid(pid, getRawPointer(status), wnohang);
      if (found === -1) throw new Error(`waitpid failed for ${pid}`);
      return found === 0 ? undefined : status.readInt32LE();
    },
    addressOf: getRawPointer,
    spawn: {
      initActions: functions.posix_spawn_file_actions_init,
      addOpen: functions.posix_spawn_file_actions_addopen,
      addDuplicate: functions.posix_spawn_file_actions_adddup2,
      addFolder: functions.posix_spawn_file_actions_addchdir_np,
      destroyActions: functions.posix_spawn_file_actions_destroy,
      initAttributes: functions.posix_spawnattr_init,
      setFlags: functions.posix_spawnattr_setflags,
      setDefaultSignals: functions.posix_spawnattr_setsigdefault,
      setSignalMask: functions.posix_spawnattr_setsigmask,
      spawn: functions.posix_spawn,
    },
  };
}
