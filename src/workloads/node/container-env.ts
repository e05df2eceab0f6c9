/** A container's environment from the pod spec and what it refers to: pure. */
import type { ConfigMap, Container, EnvVar, Pod, Secret } from "#api";
import { podField, type PodPlace, resourceField } from "./pod-fields.ts";

/** ConfigMaps and Secrets of the pod's namespace. */
export interface ConfigSources {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}

interface ContainerEnvironment {
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly args: readonly string[];
  /** With `$(NAME)` in it put in. */
  readonly expand: (text: string) => string;
  /** Keys of an `envFrom` that are no variable names; upstream leaves them out and says so. */
  readonly skipped: readonly string[];
}

export type EnvironmentResult =
  | { readonly kind: "complete"; readonly value: ContainerEnvironment }
  /** In kubelet's words; the container waits with CreateContainerConfigError. */
  | { readonly kind: "missing"; readonly message: string };

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

class Missing extends Error {}

interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly sources: ConfigSources;
  readonly place: PodPlace;
  /** Variables of services: the container's own count more, and may use them. */
  readonly links: Readonly<Record<string, string>>;
}

export function containerEnvironment(input: EnvironmentInput): EnvironmentResult {
  const { container, sources, links } = input;
  try {
    const env: Record<string, string> = {};
    const skipped = fromSources(container, sources, env);
    const expanded = (text: string): string => expand(text, { ...links, ...env });
    for (const variable of container.env ?? []) {
      const value = valueOf(variable, input);
      if (value !== undefined) env[variable.name] = variable.valueFrom === undefined ? expanded(value) : value;
    }
    const command = (container.command ?? []).map(expanded);
    const args = (container.args ?? []).map(expanded);
    return { kind: "complete", value: { env, command, args, skipped, expand: expanded } };
  } catch (error) {
    if (error instanceof Missing) return { kind: "missing", message: error.message };
    throw error;
  }
}

/** `$(NAME)` becomes the variable's value; unknown names and `$$(NAME)` stay text, the latter without its first `$`. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(?:\$|\(([^()]*)\))/g, (found, name: string | undefined) => {
    if (name === undefined) return "$";
    return Object.hasOwn(env, name) ? (env[name] ?? found) : found;
  });
}

function fromSources(container: Container, sources: ConfigSources, env: Record<string, string>): string[] {
  const skipped: string[] = [];
  for (const { prefix = "", configMapRef, secretRef } of container.envFrom ?? []) {
    const data = configMapRef === undefined ? secretData(sources, secretRef) : configMapData(sources, configMapRef);
    for (const [key, value] of Object.entries(data)) {
      if (variableName.test(prefix + key)) env[prefix + key] = value;
      else skipped.push(key);
    }
  }
  return skipped;
}

interface Reference {
  readonly name: string;
  readonly optional?: boolean;
}

function configMapData(sources: ConfigSources, reference: Reference): Record<string, string> {
  const found = sources.configMap(reference.name);
  if (found !== undefined) return found.data ?? {};
  if (reference.optional === true) return {};
  throw new Missing(`configmap "${reference.name}" not found`);
}

function secretData(sources: ConfigSources, reference: Reference | undefined): Record<string, string> {
  if (reference === undefined) return {};
  const found = sources.secret(reference.name);
  if (found === undefined && reference.optional !== true) throw new Missing(`secret "${reference.name}" not found`);
  const entries = Object.entries(found?.data ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]));
}

function valueOf(variable: EnvVar, { pod, container, sources, place }: EnvironmentInput): string | undefined {
  const from = variable.valueFrom;
  if (from === undefined) return variable.value ?? "";
  if (from.fieldRef !== undefined) {
    const { fieldPath } = from.fieldRef;
    return (
      podField(pod, fieldPath, place) ?? missing(`field "${fieldPath}" of the pod cannot be used in the environment`)
    );
  }
  if (from.resourceFieldRef !== undefined) {
    const { resource, containerName = container.name } = from.resourceFieldRef;
    const value = resourceField(pod, container, from.resourceFieldRef, place);
    return value ?? missing(`resource "${resource}" of container "${containerName}" cannot be used in the environment`);
  }
  const where = pod.metadata.namespace ?? "";
  if (from.configMapKeyRef !== undefined) {
    const { name, key, optional } = from.configMapKeyRef;
    return keyOf(configMapData(sources, from.configMapKeyRef), key, optional, `ConfigMap ${where}/${name}`);
  }
  if (from.secretKeyRef !== undefined) {
    const { name, key, optional } = from.secretKeyRef;
    return keyOf(secretData(sources, from.secretKeyRef), key, optional, `Secret ${where}/${name}`);
  }
  throw new Missing(`environment variable "${variable.name}" has a source this node cannot read`);
}

function missing(message: string): never {
  throw new Missing(message);
}

function keyOf(
  data: Readonly<Record<string, string>>,
  key: string,
  optional: boolean | undefined,
  owner: string,
): string | undefined {
  if (Object.hasOwn(data, key)) return data[key];
  if (optional === true) return undefined;
  throw new Missing(`couldn't find key ${key} in ${owner}`);
}
