/**
 * The connection that a kubeconfig describes: server, authority, and who one is. Files it names are relative to itself,
 * as kubectl has it. Token files are read again when they change, and exec plugins are asked again when what they gave
 * has expired; both are how clouds hand out credentials.
 */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { AppError, type Clock, errorMessage, isObject } from "#lib";
import type { ConnectionOptions } from "./connection.ts";
import { execCredentials } from "./exec-credentials.ts";

export class KubeconfigError extends AppError<"kube/kubeconfig"> {}

export interface KubeconfigOptions {
  readonly file: string;
  /** Default: the file's own `current-context`. */
  readonly context?: string;
  /** Environment of exec plugins. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

type Entry = Readonly<Record<string, unknown>>;

export async function readKubeconfig(options: KubeconfigOptions): Promise<ConnectionOptions> {
  const { file } = options;
  const config = parseConfig(await read(file), file);
  const context = entryOf(config, "contexts", "context", options.context ?? text(config, "current-context"), file);
  const cluster = entryOf(config, "clusters", "cluster", text(context, "cluster"), file);
  const userName = text(context, "user");
  const user = userName === undefined ? {} : entryOf(config, "users", "user", userName, file);
  const server = text(cluster, "server");
  if (server === undefined) throw wrong(file, `cluster "${text(context, "cluster") ?? ""}" has no "server"`);
  if (text(cluster, "proxy-url") !== undefined)
    throw wrong(file, `"proxy-url" is not supported: reach the cluster directly`);
  const at = (key: string, owner: Entry): Promise<string | undefined> => inlineOrFile(owner, key, file);
  const [authority, certificate, key] = await Promise.all([
    at("certificate-authority", cluster),
    at("client-certificate", user),
    at("client-key", user),
  ]);
  const serverName = text(cluster, "tls-server-name");
  return {
    server,
    ...(authority === undefined ? {} : { authority }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(cluster["insecure-skip-tls-verify"] === true ? { insecure: true } : {}),
    ...credentials(user, options),
  };
}

function credentials(
  user: Entry,
  { file, env, clock }: KubeconfigOptions,
): Pick<ConnectionOptions, "headers" | "refused"> {
  const token = text(user, "token");
  const tokenFile = text(user, "tokenFile");
  const name = text(user, "username");
  if (user["auth-provider"] !== undefined) throw wrong(file, '"auth-provider" is gone from Kubernetes: use "exec"');
  // As client-go: the file wins, since it may be newer.
  if (tokenFile !== undefined) {
    const path = resolve(dirname(file), tokenFile);
    return { headers: async () => ({ authorization: `Bearer ${(await read(path)).trim()}` }) };
  }
  if (token !== undefined) return { headers: () => Promise.resolve({ authorization: `Bearer ${token}` }) };
  if (name !== undefined) {
    const basic = Buffer.from(`${name}:${text(user, "password") ?? ""}`).toString("base64");
    return { headers: () => Promise.resolve({ authorization: `Basic ${basic}` }) };
  }
  const exec = user["exec"];
  if (isObject(exec)) return execCredentials({ exec, folder: dirname(file), env, clock });
  return { headers: () => Promise.resolve({}) };
}

function parseConfig(content: string, file: string): Entry {
  let config: unknown;
  try {
    config = parse(content);
  } catch (error) {
    throw wrong(file, `it is no YAML: ${errorMessage(error)}`);
  }
  if (!isObject(config)) throw wrong(file, "it is no kubeconfig");
  return config;
}

function entryOf(config: Entry, list: string, key: string, name: string | undefined, file: string): Entry {
  if (name === undefined) throw wrong(file, `it names no ${key}; set "current-context"`);
  const entries = Array.isArray(config[list]) ? (config[list] as unknown[]) : [];
  const found = entries.find((entry) => isObject(entry) && entry["name"] === name);
  const value = isObject(found) ? found[key] : undefined;
  if (isObject(value)) return value;
  const names = entries.flatMap((entry) =>
    isObject(entry) && typeof entry["name"] === "string" ? [entry["name"]] : [],
  );
  throw wrong(file, `it has no ${key} "${name}"; it has ${names.join(", ") || "none"}`);
}

async function inlineOrFile(owner: Entry, key: string, file: string): Promise<string | undefined> {
  const data = text(owner, `${key}-data`);
  if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
  const path = text(owner, key);
  return path === undefined ? undefined : await read(resolve(dirname(file), path));
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new KubeconfigError("kube/kubeconfig", `Cannot read "${file}": ${errorMessage(error)}`, { cause: error });
  }
}

function text(entry: Entry, key: string): string | undefined {
  const value = entry[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function wrong(file: string, what: string): KubeconfigError {
  return new KubeconfigError("kube/kubeconfig", `Cannot use kubeconfig "${file}": ${what}`);
}
