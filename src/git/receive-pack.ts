/**
 * One push over smart HTTP. Real `git receive-pack` stores the objects and moves the refs; around it we
 *
 * 1. read the commands at the head of the request and refuse by rule before any object is stored,
 * 2. answer its `pre-receive` hook: forced pushes, and the check port, while the objects are in quarantine,
 * 3. hold back its report until the moved refs are in the ledger, then add what the check port wants to say.
 *
 * A refusal is for the whole push and carries our own reasons: git would say "pre-receive hook declined" to each ref.
 */
import type { Writable } from "node:stream";
import type { Identity } from "#api";
import { errorMessage, withDeadline, type Ids, type Log } from "#lib";
import { GitError } from "./errors.ts";
import { gitEnvironment, type GitHost } from "./git-process.ts";
import { ObjectPipe } from "./object-pipe.ts";
import { readLooseObject } from "./loose-object.ts";
import { objectReader, type ObjectReader } from "./objects.ts";
import { pipedReader } from "./piped-reader.ts";
import { bandPackets, flushPacket, PacketSplitter, type Packet } from "./pkt-line.ts";
import type { PushCheckPort, PushedUpdate, PushVerdict } from "./ports.ts";
import { refuseCommands, refuseForced, type BranchProtection } from "./protection.ts";
import { changeKind, maxPushHeadBytes, parsePushHead, type PushHead, type RefCommand } from "./push-head.ts";
import { closingBytes, refusalReport, type RefRefusal } from "./push-report.ts";
import { parseCommitObject } from "./raw-objects.ts";
import { receiveConfig } from "./receive-config.ts";
import { startRefProcess, type RefProcess } from "./ref-process.ts";
import type { UpdateLedger } from "./update-ledger.ts";

export interface ReceiveOptions {
  readonly host: GitHost;
  readonly ledger: UpdateLedger;
  readonly ids: Ids;
  readonly log: Log;
  readonly checks: PushCheckPort;
  readonly repository: { readonly id: string; readonly name: string; readonly folder: string };
  readonly protections: readonly BranchProtection[];
  readonly pusher: Identity;
  /** Most bytes of one push. */
  readonly maxBytes: number;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
}

/** Largest report kept back: one line for each ref of the largest push head. */
const maxReportBytes = 4 * 1024 * 1024;

/** How long a finished push waits for the words of `PushCheckPort.accepted`, and of a verdict's `later`. */
const acceptedPatienceMs = 3_000;
const laterPatienceMs = 25_000;

/** The response body to a push whose (inflated) request body is `body`. */
export async function* receivePack(
  body: AsyncIterable<Buffer>,
  options: ReceiveOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const source = body[Symbol.asyncIterator]();
  const { head, bytes } = await readHead(source);
  // A client with a large push first asks with an empty one whether it is let in.
  if (head.commands.length === 0) return;
  const refusals = refuseCommands(head.commands, options.protections);
  if (refusals.length > 0) {
    await drain(source, options.maxBytes);
    yield refusalBytes(head, refusals, []);
    return;
  }
  yield* new PushSession(head, options).run(bytes, source);
}

async function readHead(source: AsyncIterator<Buffer>): Promise<{ head: PushHead; bytes: Buffer }> {
  const chunks: Buffer[] = [];
  for (let size = 0; size <= maxPushHeadBytes;) {
    const next = await source.next();
    if (next.done === true) throw new GitError("git/bad-request", "Cannot read the push: it ends within its commands");
    chunks.push(next.value);
    size += next.value.length;
    const bytes = Buffer.concat(chunks);
    const head = parsePushHead(bytes);
    if (head !== undefined) return { head, bytes };
  }
  throw new GitError("git/too-large", `Cannot take the push: its commands are over ${maxPushHeadBytes} bytes`);
}

/** The client reads our answer only after it has sent everything. */
async function drain(source: AsyncIterator<Buffer>, maxBytes: number): Promise<void> {
  for (let size = 0; size <= maxBytes;) {
    const next = await source.next();
    if (next.done === true) return;
    size += next.value.length;
  }
  throw new GitError("git/too-large", `Cannot take the push: it is over ${maxBytes} bytes`);
}

function refusalBytes(head: PushHead, refusals: readonly RefRefusal[], messages: readonly string[]): Buffer {
  const report = refusalReport(
    head.commands.map((command) => command.ref),
    refusals,
  );
  return closingBytes(head.capabilities.has("side-band-64k"), report, messages);
}

class PushSession {
  readonly #head: PushHead;
  readonly #options: ReceiveOptions;
  readonly #sideBand: boolean;
  readonly #push: string;
  readonly #forced = new Set<string>();
  readonly #messages: string[] = [];
  #refusals: readonly RefRefusal[] = [];
  #later: PushVerdict["later"];

  constructor(head: PushHead, options: ReceiveOptions) {
    this.#head = head;
    this.#options = options;
    this.#sideBand = head.capabilities.has("side-band-64k");
    this.#push = options.ids.uuid();
  }

  async *run(bytes: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    const process = await this.#start();
    const stop = (): void => cutOff(process);
    this.#options.signal.addEventListener("abort", stop, { once: true });
    const fed = this.#feed(process, bytes, rest);
    try {
      const report: Buffer[] = [];
      for await (const out of this.#progress(process, report)) yield out;
      const { exitCode, stderr } = await process.settled;
      await fed;
      yield await this.#closing(Buffer.concat(report), exitCode, stderr);
    } finally {
      this.#options.signal.removeEventListener("abort", stop);
      process.child.stdout.resume();
      // Also when the client left: what git moved is recorded before this push is forgotten.
      await process.settled;
    }
  }

  /** Sends the request body to git with back-pressure; on a body that is too long or breaks off, git must not go on. */
  async #feed(process: RefProcess, bytes: Buffer, rest: AsyncIterator<Buffer>): Promise<void> {
    const stdin = process.child.stdin as Writable;
    // Git may stop reading when it has found an error; its report says which.
    stdin.on("error", () => {});
    try {
      let size = 0;
      for (let next: IteratorResult<Buffer> = { value: bytes }; next.done !== true; next = await rest.next()) {
        size += next.value.length;
        if (size > this.#options.maxBytes) {
          this.#refuseAll(`the push is over the limit of ${this.#options.maxBytes} bytes; push in smaller parts`);
          cutOff(process);
          await drain(rest, this.#options.maxBytes);
          return;
        }
        if (stdin.destroyed || stdin.write(next.value)) continue;
        await Promise.race([once(stdin, "drain"), once(stdin, "close")]);
      }
      stdin.end();
    } catch (error) {
      if (this.#refusals.length === 0) this.#refuseAll(`the push broke off: ${errorMessage(error)}`);
      cutOff(process);
    }
  }

  #refuseAll(reason: string): void {
    this.#refusals = this.#head.commands.map(({ ref }) => ({ ref, reason }));
  }

  async #start(): Promise<RefProcess> {
    const { host, ledger, log, repository, pusher } = this.#options;
    return await startRefProcess(["receive-pack", "--stateless-rpc", repository.folder], {
      host,
      ledger,
      log,
      folder: repository.folder,
      context: { repositoryId: repository.id, push: this.#push, pusher: pusher.name },
      config: receiveConfig,
      preReceive: (quarantine) => this.#check(quarantine),
      forced: (ref) => this.#forced.has(ref),
    });
  }

  /** Passes git's progress on at once and keeps its report. */
  async *#progress(process: RefProcess, report: Buffer[]): AsyncGenerator<Buffer, void, undefined> {
    const splitter = new PacketSplitter();
    let size = 0;
    for await (const chunk of process.child.stdout as AsyncIterable<Buffer>) {
      if (!this.#sideBand) {
        report.push(chunk);
        continue;
      }
      for (const next of splitter.push(chunk)) {
        const part = this.#sort(next);
        if (part.show !== undefined) yield part.show;
        if (part.keep === undefined) continue;
        size += part.keep.length;
        if (size <= maxReportBytes) report.push(part.keep);
      }
    }
  }

  #sort(next: Exclude<Packet, { kind: "incomplete" | "malformed" }>): { show?: Buffer; keep?: Buffer } {
    if (next.kind === "special") return {};
    const band = next.payload[0];
    // An empty packet on band 1 keeps the connection alive.
    if (band === 1) {
      return next.payload.length === 1 ? { show: Buffer.from("0005\x01") } : { keep: next.payload.subarray(1) };
    }
    return band === 2 || band === 3 ? { show: bandPackets(band, next.payload.subarray(1)) } : {};
  }

  async #closing(report: Buffer, exitCode: number, stderr: string): Promise<Buffer> {
    if (this.#refusals.length > 0) return refusalBytes(this.#head, this.#refusals, this.#messages);
    if (report.length === 0) {
      this.#options.log.warn("A push ended without a report", { push: this.#push, exitCode, stderr });
      const reason = stderr.trim() === "" ? `git ended with code ${exitCode}` : stderr.trim();
      if (!this.#sideBand) return Buffer.alloc(0);
      return Buffer.concat([bandPackets(3, `Cannot store the push: ${reason}\n`), flushPacket]);
    }
    const { ledger, checks } = this.#options;
    const updates = await ledger.updatesOf(this.#push);
    if (updates.length === 0) return closingBytes(this.#sideBand, report, this.#messages);
    // What has begun has read the files already.
    const begun = await this.#said(acceptedPatienceMs, (signal) => checks.accepted(updates, signal));
    const later = await this.#said(laterPatienceMs, this.#later);
    return closingBytes(this.#sideBand, report, [...this.#messages, ...later, ...begun]);
  }

  async #said(patienceMs: number, say: PushVerdict["later"]): Promise<readonly string[]> {
    const deadline = withDeadline(this.#options.signal, patienceMs);
    try {
      return say === undefined ? [] : await Promise.race([say(deadline), onAbort(deadline)]);
    } catch (error) {
      this.#options.log.error("Cannot say what follows from a push", { error, push: this.#push });
      return [];
    }
  }

  async #check(quarantine: { path: string; alternates: string }): Promise<boolean> {
    const { host, repository, protections, pusher, checks, signal } = this.#options;
    const environment = gitEnvironment(host, {}, quarantineEnvironment(quarantine));
    // One process for all that is asked of the push; none where nothing is.
    using pipe = new ObjectPipe({ folder: repository.folder, environment, signal });
    const objects = pipedReader(objectReader({ folder: repository.folder, environment, signal }), () => pipe);
    for (const command of this.#head.commands) {
      if (await isForced(command, quarantine.path, objects)) this.#forced.add(command.ref);
    }
    this.#refusals = refuseForced([...this.#forced], protections);
    if (this.#refusals.length > 0) return false;
    const updates = this.#head.commands.map((command) => this.#update(command));
    const verdict = await this.#verdict(() =>
      checks.check({ repository: repository.name, updates, pusher, objects, signal }),
    );
    this.#messages.push(...verdict.messages);
    this.#later = verdict.later;
    this.#refusals = verdict.refuse ?? [];
    return this.#refusals.length === 0;
  }

  /** A check that cannot be done refuses: what it guards must not slip by because it broke. */
  async #verdict(check: () => Promise<PushVerdict>): Promise<PushVerdict> {
    try {
      return await check();
    } catch (error) {
      this.#options.log.error("Cannot check a push", { error, push: this.#push });
      this.#refuseAll("the server could not check the push; try again, and tell its operator if it stays");
      return { refuse: this.#refusals, messages: [] };
    }
  }

  #update(command: RefCommand): PushedUpdate {
    return { ...command, kind: changeKind(command), forced: this.#forced.has(command.ref) };
  }
}

async function isForced(command: RefCommand, quarantine: string, objects: ObjectReader): Promise<boolean> {
  if (changeKind(command) !== "update") return false;
  // What most pushes are: a commit on top, which takes no process to see.
  const top = quarantine === "" ? undefined : await readLooseObject(quarantine, command.after);
  if (top?.type === "commit" && parseCommitObject(top)?.parents.includes(command.before) === true) return false;
  return !(await objects.isAncestor(command.before, command.after));
}

function quarantineEnvironment({ path, alternates }: { path: string; alternates: string }): Record<string, string> {
  if (path === "") return {};
  return { GIT_OBJECT_DIRECTORY: path, GIT_ALTERNATE_OBJECT_DIRECTORIES: alternates, GIT_QUARANTINE_PATH: path };
}

/** No lines, once the signal has aborted. */
async function onAbort(signal: AbortSignal): Promise<readonly string[]> {
  await new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", resolve, { once: true });
  });
  return [];
}

/**
 * Ends git's input, which makes it give up an unfinished pack and clean up its quarantine; killed by a signal it would
 * leave that behind. A pack that was whole goes on: nothing is wrong with it.
 */
function cutOff(process: RefProcess): void {
  process.child.stdin?.destroy();
}

function once(emitter: NodeJS.EventEmitter, event: string): Promise<void> {
  return new Promise((resolve) => emitter.once(event, () => resolve()));
}
