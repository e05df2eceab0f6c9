/**
 * A command's streams over one WebSocket: the first byte (or digit, in the base64 protocols) of each message says which
 * stream it belongs to. Version 5 added the message `255 <channel>`: the client closes that stream.
 */
import type { Socket } from "node:net";
import { Readable, Writable } from "node:stream";
import type { RawData, WebSocket } from "ws";
import type { Clock } from "#lib";
import type { TerminalSize } from "../../../ports.ts";
import { type CommandOutcome, outcomeStatus, outcomeText } from "../command-outcome.ts";
import type { CommandStreams, WantedStreams } from "../command-streams.ts";
import { IdleWatch } from "../idle-watch.ts";
import { Repeated } from "../repeated.ts";
import { TerminalSizes } from "../terminal-size.ts";

/** Best first. No protocol at all means the oldest. */
export const channelProtocols = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
  "channel.k8s.io",
  "base64.channel.k8s.io",
] as const;

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** Writing is how we learn that a client is gone while we do not read, and how it learns that we are there. */
const heartbeatMs = 5000;
const closingMs = 5000;
const stdinBytes = 256 * 1024;

export interface ChannelCommandOptions {
  readonly socket: WebSocket;
  /** One of `channelProtocols`, or "". */
  readonly protocol: string;
  /** Below the WebSocket: its end is the end, also while no messages are read. */
  readonly transport: Socket;
  readonly wanted: WantedStreams;
  readonly clock: Clock;
}

export class ChannelCommandStreams implements CommandStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  readonly gone: Promise<void>;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #protocol: string;
  readonly #isBase64: boolean;
  readonly #idle: IdleWatch;
  readonly #sizes = new TerminalSizes();
  #onSize: (size: TerminalSize) => void = () => {};
  /** The last size that came before anybody listened. */
  #size: TerminalSize | undefined;

  constructor({ socket, protocol, transport, wanted, clock }: ChannelCommandOptions) {
    this.#socket = socket;
    this.#protocol = protocol;
    this.#clock = clock;
    this.#isBase64 = protocol.includes("base64");
    this.#idle = new IdleWatch(clock, () => socket.terminate());
    const heartbeat = new Repeated(clock, heartbeatMs, () => this.#beat());
    this.stdin = wanted.stdin ? this.#input() : undefined;
    this.stdout = wanted.stdout ? this.#output(channels.stdout) : undefined;
    this.stderr = wanted.stderr ? this.#output(channels.stderr) : undefined;
    socket.on("message", (data) => this.#take(data));
    socket.on("error", () => socket.terminate());
    heartbeat.start();
    this.gone = new Promise((resolve) => {
      const end = (): void => {
        heartbeat[Symbol.dispose]();
        this.#idle[Symbol.dispose]();
        this.stdin?.destroy();
        resolve();
      };
      transport.once("close", end);
      if (transport.destroyed) end();
    });
    // An empty message says that everything is in place.
    const first = wanted.stdout ? channels.stdout : wanted.stderr ? channels.stderr : channels.error;
    this.#send(first, Buffer.alloc(0));
  }

  onResize(listener: (size: TerminalSize) => void): void {
    this.#onSize = listener;
    if (this.#size !== undefined) listener(this.#size);
  }

  async finish(outcome: CommandOutcome): Promise<void> {
    // As slowly as the client takes it: what a command wrote last counts as much as what it wrote first.
    await Promise.all([ended(this.stdout), ended(this.stderr)]);
    const isTyped = /^v[45]\./.test(this.#protocol);
    const text = isTyped ? JSON.stringify(outcomeStatus(outcome)) : outcomeText(outcome);
    if (text !== "") this.#send(channels.error, Buffer.from(text));
    // Its answer to the close would wait behind what nobody reads any more.
    this.stdin?.resume();
    this.#socket.resume();
    this.#socket.close(1000);
    using _late = this.#clock.schedule(closingMs, () => this.#socket.terminate());
    await this.gone;
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }

  #input(): Readable {
    const input = new Readable({
      highWaterMark: stdinBytes,
      read: () => {
        if (this.#socket.isPaused) this.#socket.resume();
      },
    });
    input.on("error", () => {});
    return input;
  }

  #output(channel: number): Writable {
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => this.#send(channel, chunk, done),
    });
    output.on("error", () => {});
    return output;
  }

  #send(channel: number, bytes: Uint8Array, done: (error?: Error | null) => void = () => {}): void {
    this.#idle.touch();
    if (this.#isBase64) this.#socket.send(`${channel}${Buffer.from(bytes).toString("base64")}`, done);
    else this.#socket.send(Buffer.concat([Buffer.of(channel), bytes]), { binary: true }, done);
  }

  #take(data: RawData): void {
    this.#idle.touch();
    const bytes = data as Buffer;
    const [first = 0] = bytes;
    const channel = this.#isBase64 ? first - 0x30 : first;
    const rest = bytes.subarray(1);
    const payload = this.#isBase64 ? Buffer.from(rest.toString("latin1"), "base64") : rest;
    if (channel === channels.stdin) this.#takeInput(payload);
    else if (channel === channels.resize) this.#takeSize(payload);
    else if (channel === channels.close && payload[0] === channels.stdin) this.#endInput();
  }

  #takeInput(payload: Buffer): void {
    const input = this.stdin;
    if (input === undefined || payload.length === 0 || input.destroyed || input.readableEnded) return;
    if (!input.push(payload)) this.#socket.pause();
  }

  #endInput(): void {
    if (this.#protocol === "v5.channel.k8s.io") this.stdin?.push(null);
  }

  #takeSize(payload: Buffer): void {
    const size = this.#sizes.push(payload);
    if (size === undefined) return;
    this.#size = size;
    this.#onSize(size);
  }

  #beat(): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.ping();
    // Its own pings are not read while its input waits: an answer nobody asked for tells it that we are alive.
    if (this.#socket.isPaused) this.#socket.pong();
  }
}

/** Everything is on its way, or nobody takes it any more. */
async function ended(output: Writable | undefined): Promise<void> {
  if (output === undefined || output.destroyed) return;
  await new Promise<void>((resolve) => {
    output.once("close", resolve);
    output.end(resolve);
  });
}
