/** `container` and `services` of a job, evaluated as far as control can: `env` may read what only the runner knows. */
import { isObject } from "#lib";
import { ExpressionFailure } from "../errors.ts";
import { evaluateTree, evaluateValue, textOf, type Contexts } from "../expressions/evaluate.ts";
import type { Job } from "../parse/model.ts";
import type { ContainerSpec, ContextObject, ContextValue, JobAssignment } from "../protocol.ts";
import { withoutSecrets } from "./job-secrets.ts";

type Containers = Pick<JobAssignment, "container" | "serviceContainers">;

/** Throws `ExpressionFailure` when a template cannot be evaluated or gives what is no container. */
export function evaluateContainers(job: Job, contexts: Contexts): Containers {
  const container = job.container === undefined ? undefined : evaluateContainer("container", job.container, contexts);
  const services = job.services === undefined ? undefined : evaluateServices(job.services, contexts);
  return {
    // An empty image, e.g. of an expression, means that there is no container.
    ...(container === undefined || container.image === "" ? {} : { container }),
    ...(services === undefined ? {} : { serviceContainers: services }),
  };
}

function evaluateServices(tree: ContextValue, contexts: Contexts): Readonly<Record<string, ContainerSpec>> {
  const value = typeof tree === "string" ? evaluateValue(tree, contexts) : tree;
  if (!isContextObject(value)) {
    throw new ExpressionFailure(`Value of "services" is ${JSON.stringify(value)}. It must be a mapping of containers`);
  }
  const entries = Object.entries(value).map(([name, inner]): [string, ContainerSpec] => [
    name,
    evaluateContainer(`services.${name}`, inner, contexts),
  ]);
  return Object.fromEntries(entries);
}

function evaluateContainer(what: string, tree: ContextValue, contexts: Contexts): ContainerSpec {
  const value = typeof tree === "string" ? evaluateValue(tree, contexts) : tree;
  if (value === null || typeof value === "string") return { ...empty, image: textOf(value ?? "").trim() };
  if (!isContextObject(value)) {
    throw new ExpressionFailure(`Value of "${what}" is ${JSON.stringify(value)}. It must be an image or a mapping`);
  }
  const { env = {}, ...rest } = value;
  const filled = withoutSecrets(what, JSON.stringify(rest), () => evaluateTree(rest, contexts)) as ContextObject;
  const text = (key: string): string | undefined => {
    const found = filled[key];
    return found === undefined || found === null ? undefined : textOf(found).trim();
  };
  const options = text("options");
  const entrypoint = text("entrypoint");
  const command = text("command") ?? commandOf(filled["cmd"]);
  const credentials = credentialsOf(filled["credentials"]);
  return {
    image: text("image") ?? "",
    env: isContextObject(env) ? texts(env) : {},
    ports: list(filled["ports"]),
    volumes: list(filled["volumes"]),
    ...(options === undefined || options === "" ? {} : { options }),
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(command === undefined ? {} : { command }),
    ...(credentials === undefined ? {} : { credentials }),
  };
}

/** Forgejo's list of words, as the line that a shell would take for them. */
function commandOf(words: ContextValue | undefined): string | undefined {
  const all = list(words);
  return all.length === 0 ? undefined : all.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

const empty: ContainerSpec = { image: "", env: {}, ports: [], volumes: [] };

function isContextObject(value: ContextValue | undefined): value is ContextObject {
  return isObject(value);
}

function texts(object: ContextObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, textOf(value)]));
}

function list(value: ContextValue | undefined): readonly string[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).map((item: ContextValue) => textOf(item));
}

function credentialsOf(value: ContextValue | undefined): ContainerSpec["credentials"] {
  if (!isContextObject(value)) return undefined;
  const { username = "", password = "" } = texts(value);
  return username === "" && password === "" ? undefined : { username, password };
}
