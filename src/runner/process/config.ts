/** The configuration a runner process is started with: JSON on standard input or in a file, never on the command line. */
import { isObject } from "#lib";
import { AppError } from "#lib";

export interface RunnerConfig {
  readonly controlUrl: string;
  readonly token: string;
  readonly name: string;
  readonly labels: readonly string[];
  readonly workFolder: string;
  readonly nodePath: string;
  readonly concurrency: number;
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly engine?: string;
  readonly userEngine?: string;
  readonly hooks?: { readonly started?: string; readonly completed?: string };
  /** Takes one job, then ends. */
  readonly ephemeral?: boolean;
  /** Given by the server that it is registered with. */
  readonly runnerId?: string;
  /** Of loopback, by which jobs know the server; on another machine they are made to lead there. */
  readonly ports?: readonly number[];
}

class RunnerConfigError extends AppError<"runner/bad-config"> {}

/** `nodePath` falls back to the Node that reads it. Values are not shown in errors: one of them is the token. */
export function parseRunnerConfig(text: string, ownNodePath: string): RunnerConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad("it is not JSON");
  }
  if (!isObject(value)) throw bad("it is not an object");
  const { labels, concurrency, baseEnv, nodePath, ports, hooks } = value;
  if (!isStrings(labels)) throw bad('"labels" must be a list of strings');
  if (typeof concurrency !== "number" || !Number.isInteger(concurrency) || concurrency < 1 || concurrency > 256) {
    throw bad('"concurrency" must be a whole number from 1 to 256');
  }
  if (!isObject(baseEnv) || !isStrings(Object.values(baseEnv))) throw bad('"baseEnv" must be an object of strings');
  return {
    controlUrl: required(value, "controlUrl"),
    token: required(value, "token"),
    name: required(value, "name"),
    workFolder: required(value, "workFolder"),
    nodePath: typeof nodePath === "string" && nodePath !== "" ? nodePath : ownNodePath,
    labels,
    concurrency,
    baseEnv: baseEnv as Record<string, string>,
    ...optional(value, "engine"),
    ...optional(value, "userEngine"),
    ...optional(value, "runnerId"),
    ...(isObject(hooks) ? { hooks: { ...optional(hooks, "started"), ...optional(hooks, "completed") } } : {}),
    ...(value["ephemeral"] === true ? { ephemeral: true } : {}),
    ...(Array.isArray(ports) ? { ports: ports.filter((port) => typeof port === "number") } : {}),
  };
}

function required(value: Record<string, unknown>, key: string): string {
  const found = value[key];
  if (typeof found !== "string" || found === "") throw bad(`"${key}" must be a text that is not empty`);
  return found;
}

function optional(value: Record<string, unknown>, key: string): Record<string, string> {
  const found = value[key];
  return typeof found === "string" && found !== "" ? { [key]: found } : {};
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function bad(what: string): RunnerConfigError {
  return new RunnerConfigError("runner/bad-config", `Cannot start the runner: in its configuration ${what}`);
}
