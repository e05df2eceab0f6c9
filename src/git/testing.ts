/** A git server over a real socket, and the real git client against it. For tests only. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { AccessPort, Identity } from "#api";
import { openDatabase, runCommand, silentLog, systemClock, systemIds, type Log } from "#lib";
import Fastify from "fastify";
import { gitRoutes, noPushChecks, openRepositories, type PushCheckPort, type Repositories } from "./index.ts";

/** Tokens are their own description: `name=scope,scope`. */
const accessByToken: AccessPort = {
  authenticate(authorization) {
    const [, scheme = "", value = ""] = /^(\w+) (.+)$/.exec(authorization ?? "") ?? [];
    const token = scheme.toLowerCase() === "basic" ? Buffer.from(value, "base64").toString().split(":")[1] : value;
    const [name, scopes] = (token ?? "").split("=");
    const identity: Identity | undefined =
      name === undefined || scopes === undefined ? undefined : { name, scopes: scopes.replaceAll(";", ":").split(",") };
    return Promise.resolve(identity);
  },
};

export interface GitServer extends AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly repositories: Repositories;
  /** URL with a token in it. Scopes are written with `;` for `:`, which a URL keeps for itself. */
  url(repository: string, token?: string): string;
}

export interface GitServerOptions {
  /** Kept afterwards when given. */
  readonly folder?: string;
  readonly checks?: PushCheckPort;
  readonly log?: Log;
  readonly maxPushBytes?: number;
}

export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  await using stack = new AsyncDisposableStack();
  const folder = options.folder ?? (await temporaryFolder(stack));
  const log = options.log ?? silentLog;
  const database = stack.adopt(openDatabase(join(folder, "tidegate.db")), (db) => db.destroy());
  const repositories = stack.use(
    await openRepositories({ folder: join(folder, "git"), database, clock: systemClock, ids: systemIds, log }),
  );
  const app = stack.adopt(Fastify({ forceCloseConnections: true }), (app) => app.close());
  const limit = options.maxPushBytes === undefined ? {} : { maxPushBytes: options.maxPushBytes };
  const checks = options.checks ?? noPushChecks;
  await app.register(gitRoutes({ repositories, access: accessByToken, checks, log, ...limit }));
  const port = Number(new URL(await app.listen({ host: "127.0.0.1", port: 0 })).port);
  const parts = stack.move();
  return {
    folder,
    port,
    repositories,
    url: (repository, token = "ada=admin") => `http://x:${token}@127.0.0.1:${port}/${repository}`,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

export async function temporaryFolder(stack: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-git-"));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

const clientEnvironment: Readonly<Record<string, string>> = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  HOME: "/nonexistent",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
};

export interface GitAnswer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The user's git, whatever exit code comes. */
export async function git(folder: string, ...args: string[]): Promise<GitAnswer> {
  const signal = AbortSignal.timeout(60_000);
  const result = await runCommand("git", ["-C", folder, ...args], { env: clientEnvironment, signal });
  return { code: result.exitCode, out: result.stdout.toString("utf8").trim(), err: result.stderr };
}

/** The user's git, which must succeed. */
export async function gitOk(folder: string, ...args: string[]): Promise<string> {
  const { code, out, err } = await git(folder, ...args);
  if (code !== 0) throw new Error(`git ${args.join(" ")} failed with ${code}: ${err}`);
  return out;
}

/** Writes files and commits all of them; the commit's id. */
export async function commitFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
  message = "Change",
): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  await gitOk(folder, "add", "-A");
  await gitOk(folder, "commit", "--quiet", "--allow-empty", "-m", message);
  return await gitOk(folder, "rev-parse", "HEAD");
}
