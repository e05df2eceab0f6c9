/** The commands at the head of a `git-receive-pack` request (gitprotocol-pack(5), "Reference Update Request"). Pure. */
import { GitError } from "./errors.ts";
import { isObjectId, isRefName, zeroId } from "./names.ts";
import { packetAt } from "./pkt-line.ts";

export interface RefCommand {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

export interface PushHead {
  readonly commands: readonly RefCommand[];
  readonly capabilities: ReadonlySet<string>;
}

/** Most bytes of commands accepted: about 8,000 refs in one push. */
export const maxPushHeadBytes = 1024 * 1024;

/** Reads the commands up to their flush; undefined while bytes are missing. Throws `git/bad-request`. */
export function parsePushHead(bytes: Buffer): PushHead | undefined {
  const commands: RefCommand[] = [];
  let capabilities: ReadonlySet<string> = new Set();
  let offset = 0;
  for (;;) {
    const next = packetAt(bytes, offset);
    if (next.kind === "incomplete") return undefined;
    if (next.kind === "malformed") throw malformed("not in pkt-line format");
    offset = next.end;
    if (next.kind === "special") return { commands, capabilities };
    const [line = "", options] = next.payload.toString("utf8").replace(/\n$/, "").split("\0");
    if (options !== undefined) capabilities = new Set(options.trim().split(/\s+/));
    if (line.startsWith("shallow ")) continue;
    commands.push(parseCommand(line));
  }
}

function parseCommand(line: string): RefCommand {
  const [before, after, ...rest] = line.split(" ");
  const ref = rest.join(" ");
  if (before === undefined || after === undefined || !isObjectId(before) || !isObjectId(after)) {
    throw malformed("a command must be two object ids and a ref");
  }
  if (!isRefName(ref)) throw malformed(`"${ref}" is not a ref name`);
  return { ref, before, after };
}

export type ChangeKind = "create" | "update" | "delete";

export function changeKind(command: Pick<RefCommand, "before" | "after">): ChangeKind {
  if (isZero(command.before)) return "create";
  return isZero(command.after) ? "delete" : "update";
}

function isZero(id: string): boolean {
  return id === zeroId || /^0+$/.test(id);
}

function malformed(found: string): GitError {
  return new GitError("git/bad-request", `Cannot read the push: ${found}`);
}
