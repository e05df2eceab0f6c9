/**
 * The few functions of libc that no API of Node.js reaches, by `node:ffi`, which Node.js 26 has: no native module to
 * build or to download. Where that is missing, `libc` rejects and callers say what cannot be had.
 */
interface LibC {
  /** Both ends, closed in children: pipe2(2). */
  pipe(): { readonly reading: number; readonly writing: number };
  unlockpt(fd: number): void;
  ptsname(fd: number): string;
}

/** O_CLOEXEC of Linux on x86-64 and arm64. */
const closeOnExec = 0o2000000;

let loaded: Promise<LibC> | undefined;

export function libc(): Promise<LibC> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<LibC> {
  const { dlopen, getRawPointer } = await import("node:ffi");
  // null: what this process has loaded already, libc with it.
  const { functions } = dlopen(null, {
    pipe2: { return: "i32", arguments: ["pointer", "i32"] },
    unlockpt: { return: "i32", arguments: ["i32"] },
    ptsname_r: { return: "i32", arguments: ["i32", "pointer", "u64"] },
  });
  return {
    pipe() {
      const pair = Buffer.alloc(8);
      if (functions.pipe2(getRawPointer(pair), closeOnExec) !== 0) throw new Error("pipe2 failed");
      const [reading = 0, writing = 0] = new Int32Array(pair.buffer, pair.byteOffset, 2);
      return { reading, writing };
    },
    unlockpt(fd) {
      if (functions.unlockpt(fd) !== 0) throw new Error("unlockpt failed");
    },
    ptsname(fd) {
      const name = Buffer.alloc(256);
      if (functions.ptsname_r(fd, getRawPointer(name), BigInt(name.length)) !== 0) throw new Error("ptsname_r failed");
      return name.toString("utf8", 0, name.indexOf(0));
    },
  };
}
