/** The server's end of file descriptor 3: requests of the hooks of one git process, one after the other. */
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { changeKind, type RefCommand } from "./push-head.ts";

type HookRequest =
  | { readonly kind: "pre-receive"; readonly quarantine: string; readonly alternates: string }
  /** `prepared` waits for the answer; the other two only tell. */
  | { readonly kind: "prepared" | "committed" | "aborted"; readonly commands: readonly RefCommand[] };

export interface HookHandler {
  /** May the push or the transaction go on? A throw means no. */
  (request: HookRequest): Promise<boolean>;
}

/** Serves requests until the other side closes. Resolves then; what `handle` throws is given to `onError`. */
export async function serveHooks(
  channel: Duplex | undefined,
  handle: HookHandler,
  onError: (error: unknown) => void,
): Promise<void> {
  if (channel === undefined) return;
  // A hook that died between its question and our answer is git's to report.
  channel.on("error", () => {});
  let lines: string[] = [];
  for await (const line of createInterface({ input: channel, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line !== ".") {
      lines.push(line);
      continue;
    }
    const request = parseRequest(lines);
    lines = [];
    const answer = request === undefined ? false : await allowed(request, handle, onError);
    if (request?.kind === "pre-receive" || request?.kind === "prepared") channel.write(answer ? "ok\n" : "no\n");
  }
}

async function allowed(request: HookRequest, handle: HookHandler, onError: (error: unknown) => void): Promise<boolean> {
  try {
    return await handle(request);
  } catch (error) {
    onError(error);
    return false;
  }
}

function parseRequest(lines: readonly string[]): HookRequest | undefined {
  const [kind, ...rest] = lines;
  if (kind === "pre-receive") return { kind, quarantine: rest[0] ?? "", alternates: rest[1] ?? "" };
  if (kind === "prepared" || kind === "committed" || kind === "aborted") {
    return { kind, commands: rest.flatMap(parseMove) };
  }
  return undefined;
}

/** Symbolic refs (HEAD follows its branch) and the second half of a deletion (nothing to nothing) are no moves. */
function parseMove(line: string): readonly RefCommand[] {
  const [before = "", after = "", ...name] = line.split(" ");
  const ref = name.join(" ");
  if (!ref.startsWith("refs/") || before === after) return [];
  const command = { before, after, ref };
  return changeKind(command) === "create" && /^0+$/.test(after) ? [] : [command];
}
