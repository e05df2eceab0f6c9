/** Clones and fetches over smart HTTP, by real `git upload-pack`. */
import type { ChildProcess } from "node:child_process";
import { gitEnvironment, spawnGit, type GitHost } from "./git-process.ts";
import { flushPacket, packet } from "./pkt-line.ts";
import { advertisedReceiveConfig } from "./receive-config.ts";

export const services = ["git-upload-pack", "git-receive-pack"] as const;
export type Service = (typeof services)[number];

export interface ServeOptions {
  readonly host: GitHost;
  readonly folder: string;
  /** The client's `Git-Protocol` header; `version=2` saves it the list of all refs. */
  readonly protocol: string | undefined;
  readonly signal: AbortSignal;
}

/** Checkout actions fetch a commit by its id; partial clones filter. */
const uploadConfig: Readonly<Record<string, string>> = {
  "uploadpack.allowAnySHA1InWant": "true",
  "uploadpack.allowFilter": "true",
};

/** The answer to `GET info/refs?service=…`. */
export async function* advertise(service: Service, options: ServeOptions): AsyncGenerator<Buffer, void, undefined> {
  const name = service.slice("git-".length);
  const config = service === "git-upload-pack" ? uploadConfig : advertisedReceiveConfig;
  const protocol = service === "git-upload-pack" ? options.protocol : undefined;
  const args = [name, "--stateless-rpc", "--advertise-refs", options.folder];
  const child = start(args, { ...options, protocol }, config);
  child.stdin?.end();
  yield Buffer.concat([packet(`# service=${service}\n`), flushPacket]);
  yield* outputOf(child);
}

/** The answer to `POST git-upload-pack`. */
export async function* uploadPack(
  body: AsyncIterable<Buffer>,
  options: ServeOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const child = start(["upload-pack", "--stateless-rpc", options.folder], options, uploadConfig);
  const fed = feed(child, body);
  yield* outputOf(child);
  await fed;
}

function start(args: readonly string[], options: ServeOptions, config: Readonly<Record<string, string>>): ChildProcess {
  const protocol: Record<string, string> = {};
  if (options.protocol !== undefined && /^[\w=:.-]{1,100}$/.test(options.protocol)) {
    protocol["GIT_PROTOCOL"] = options.protocol;
  }
  const child = spawnGit(args, gitEnvironment(options.host, config, protocol), false);
  child.on("error", () => {});
  child.stderr?.resume();
  const kill = (): void => void child.kill("SIGKILL");
  options.signal.addEventListener("abort", kill, { once: true });
  child.on("close", () => options.signal.removeEventListener("abort", kill));
  return child;
}

async function* outputOf(child: ChildProcess): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) yield chunk;
  } finally {
    if (child.exitCode === null) child.kill("SIGKILL");
  }
}

/** A fetch request is small (bounded by the caller); git may answer and stop reading before its end. */
async function feed(child: ChildProcess, body: AsyncIterable<Buffer>): Promise<void> {
  const stdin = child.stdin;
  if (stdin === null) return;
  stdin.on("error", () => {});
  try {
    for await (const chunk of body) stdin.write(chunk);
    stdin.end();
  } catch {
    child.kill("SIGKILL");
  }
}
