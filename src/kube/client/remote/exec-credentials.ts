/** Credentials by a program, as `client.authentication.k8s.io/v1` has it: what EKS, GKE and AKS log in with. */
import { AppError, type Clock, isObject, runCommand } from "#lib";
import type { ConnectionOptions } from "./connection.ts";

export interface ExecCredentialsOptions {
  /** The `exec` of a kubeconfig's user. */
  readonly exec: Readonly<Record<string, unknown>>;
  /** A command with a slash is relative to it. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

class ExecCredentialsError extends AppError<"kube/exec-credentials"> {}

interface Issued {
  readonly token: string;
  /** Milliseconds since 1970; absent: until it is refused. */
  readonly expiresAt?: number;
}

/** Asked again this long before they expire. */
const marginMs = 10_000;
const versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

export function execCredentials(options: ExecCredentialsOptions): Pick<ConnectionOptions, "headers" | "refused"> {
  let issued: Issued | undefined;
  let asking: Promise<Issued> | undefined;
  const current = async (signal: AbortSignal): Promise<Issued> => {
    const nowMs = options.clock.now().epochMilliseconds;
    if (issued !== undefined && (issued.expiresAt ?? Infinity) - marginMs > nowMs) return issued;
    asking ??= ask(options, signal).finally(() => {
      asking = undefined;
    });
    issued = await asking;
    return issued;
  };
  return {
    headers: async (signal) => ({ authorization: `Bearer ${(await current(signal)).token}` }),
    refused() {
      issued = undefined;
    },
  };
}

async function ask({ exec, folder, env }: ExecCredentialsOptions, signal: AbortSignal): Promise<Issued> {
  const { command, args, apiVersion } = exec;
  if (typeof command !== "string") throw wrong("", 'it has no "command"');
  if (typeof apiVersion !== "string" || !versions.includes(apiVersion)) {
    throw wrong(command, `its apiVersion must be one of ${versions.join(", ")}`);
  }
  const info = { apiVersion, kind: "ExecCredential", spec: { interactive: false } };
  const result = await runCommand(command, Array.isArray(args) ? args.map(String) : [], {
    cwd: folder,
    env: { ...env, ...extraVariables(exec["env"]), KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    signal,
  });
  if (result.exitCode !== 0) throw wrong(command, `it ended with ${result.exitCode}: ${result.stderr.trim()}`);
  let answer: unknown;
  try {
    answer = JSON.parse(result.stdout.toString());
  } catch {
    // What it printed may be the very secret.
    throw wrong(command, "what it printed is no JSON");
  }
  const status = isObject(answer) ? answer["status"] : undefined;
  const { token, expirationTimestamp } = isObject(status) ? status : {};
  if (typeof token !== "string" || token === "") throw wrong(command, "it gave no token");
  const expires = typeof expirationTimestamp === "string" ? Date.parse(expirationTimestamp) : Number.NaN;
  return Number.isNaN(expires) ? { token } : { token, expiresAt: expires };
}

function extraVariables(list: unknown): Record<string, string> {
  const entries = (Array.isArray(list) ? list : []).flatMap((item: unknown) => {
    const { name, value } = isObject(item) ? item : {};
    return typeof name === "string" && typeof value === "string" ? [[name, value] as const] : [];
  });
  return Object.fromEntries(entries);
}

function wrong(command: string, what: string): ExecCredentialsError {
  return new ExecCredentialsError("kube/exec-credentials", `Cannot log in to the cluster with "${command}": ${what}`);
}
