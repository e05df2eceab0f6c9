/** What posix_spawn(3) is called with, in one piece of memory: nothing of it can move or be freed before the rest. */
import type { LibC } from "./libc.ts";

export interface SpawnArguments {
  /** Absolute, or below the new folder of the child. */
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
  /** Its file descriptors 0, 1, 2 and so on; undefined: nothing to read. None of them is below 3. */
  readonly files: readonly (number | undefined)[];
  /** Makes it the leader of a session and process group. */
  readonly leads: boolean;
}

type SpawnOutcome =
  | { readonly kind: "spawned"; readonly pid: number }
  | { readonly kind: "refused"; readonly errno: number };

/** Larger than glibc's (80 and 336 bytes) and musl's on every architecture. */
const structureBytes = 1024;
const signalSetBytes = 128;
const pointerBytes = 8;

const flags = { setDefaultSignals: 0x04, setSignalMask: 0x08, setSession: 0x80 } as const;

/** All 64: what Node.js ignores (SIGPIPE), or was itself started without, a program has as usual. */
const allSignals = 0xffff_ffff_ffff_ffffn;

/** Blocks until the child runs its program: a fraction of a millisecond, whatever memory this process has. */
export function spawnWith(libc: LibC, wanted: SpawnArguments): SpawnOutcome {
  const memory = new Memory(wanted);
  const { argv, env } = wanted;
  const base = libc.addressOf(memory.bytes);
  const at = (offset: number): bigint => base + BigInt(offset);
  memory.writeList(memory.argv, argv, at);
  memory.writeList(memory.env, Object.entries(env).map(assignment), at);
  const { spawn } = libc;
  const [actions, attributes] = [at(memory.actions), at(memory.attributes)];
  let errno = spawn.initActions(actions);
  const then = (call: () => number): void => {
    if (errno === 0) errno = call();
  };
  for (const [fd, given] of wanted.files.entries()) {
    if (given === undefined) then(() => spawn.addOpen(actions, fd, at(memory.write("/dev/null")), 0, 0));
    else then(() => spawn.addDuplicate(actions, given, fd));
  }
  const { cwd } = wanted;
  if (cwd !== undefined) then(() => spawn.addFolder(actions, at(memory.write(cwd))));
  then(() => spawn.initAttributes(attributes));
  const set = memory.signals;
  memory.bytes.writeBigUInt64LE(allSignals, set);
  then(() => spawn.setDefaultSignals(attributes, at(set)));
  memory.bytes.writeBigUInt64LE(0n, set);
  then(() => spawn.setSignalMask(attributes, at(set)));
  const session = wanted.leads ? flags.setSession : 0;
  then(() => spawn.setFlags(attributes, flags.setDefaultSignals | flags.setSignalMask | session));
  const path = at(memory.write(wanted.path));
  then(() => spawn.spawn(at(memory.pid), path, actions, attributes, at(memory.argv), at(memory.env)));
  spawn.destroyActions(actions);
  // Reads the memory, which therefore was there until now.
  return errno === 0 ? { kind: "spawned", pid: memory.bytes.readInt32LE(memory.pid) } : { kind: "refused", errno };
}

function assignment([name, value]: readonly [string, string]): string {
  return `${name}=${value}`;
}

class Memory {
  readonly actions = 0;
  readonly attributes = structureBytes;
  readonly signals = 2 * structureBytes;
  readonly pid = this.signals + signalSetBytes;
  readonly argv = this.pid + pointerBytes;
  readonly env: number;
  readonly bytes: Buffer;
  #free: number;

  constructor({ path, argv, env, cwd = "" }: SpawnArguments) {
    const entries = Object.entries(env);
    this.env = this.argv + (argv.length + 1) * pointerBytes;
    this.#free = this.env + (entries.length + 1) * pointerBytes;
    const texts = [path, cwd, "/dev/null", ...argv, ...entries.map(assignment)];
    const length = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
    this.bytes = Buffer.alloc(this.#free + length);
  }

  /** Gives the offset at which the text is, a zero behind it. */
  write(text: string): number {
    const offset = this.#free;
    this.#free += this.bytes.write(text, offset) + 1;
    return offset;
  }

  /** A list of addresses with a zero behind it. */
  writeList(offset: number, texts: readonly string[], at: (offset: number) => bigint): void {
    for (const [index, text] of texts.entries()) {
      this.bytes.writeBigUInt64LE(at(this.write(text)), offset + index * pointerBytes);
    }
  }
}
