/** Clones and fetches over smart HTTP, by real `git upload-pack`. */
import type { RunningProgram } from "#lib";
import { gitEnvironment, killedBy, spawnGit, type GitHost } from "./git-process.ts";
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
  const child = await start(args, { ...options, protocol }, config);
  child.stdin?.end();
  yield Buffer.concat([packet(`# service=${service}\n`), flushPacket]);
  yield* outputOf(child, options.signal);
}

/** The answer to `POST git-upload-pack`. */
export async function* uploadPack(
  body: AsyncIterable<Buffer>,
  options: ServeOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const child = await start(["upload-pack", "--stateless-rpc", options.folder], options, uploadConfig);
  const fed = feed(child, body);
  yield* outputOf(child, options.signal);
  await fed;
}

async function start(
  args: readonly string[],
  options: ServeOptions,
  config: Readonly<Record<string, string>>,
): Promise<RunningProgram> {
  const protocol: Record<string, string> = {};
  if (options.protocol !== undefined && /^[\w=:.-]{1,100}$/.test(options.protocol)) {
    protocol["GIT_PROTOCOL"] = options.protocol;
  }
  const child = await spawnGit(args, gitEnvironment(options.host, config, protocol));
  child.stderr.resume();
  return child;
}

async function* outputOf(child: RunningProgram, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  using _killed = killedBy(child, signal);
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) yield chunk;
}

/** A fetch request is small (bounded by the caller); git may answer and stop reading before its end. */
async function feed(child: RunningProgram, body: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const chunk of body) child.stdin?.write(chunk);
    child.stdin?.end();
  } catch {
    child.kill("SIGKILL");
  }
}
