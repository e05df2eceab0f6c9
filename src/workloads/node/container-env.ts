/** A container's environment from the pod spec and what it refers to: pure. */
import type { ConfigMap, Container, EnvVar, Pod, Secret } from "#api";

/** ConfigMaps and Secrets of the pod's namespace. */
export interface ConfigSources {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}

interface ContainerEnvironment {
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly args: readonly string[];
  /** Keys of an `envFrom` that are no variable names; upstream leaves them out and says so. */
  readonly skipped: readonly string[];
}

export type EnvironmentResult =
  | { readonly kind: "complete"; readonly value: ContainerEnvironment }
  /** In kubelet's words; the container waits with CreateContainerConfigError. */
  | { readonly kind: "missing"; readonly message: string };

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

class Missing extends Error {}

/** @param podIp where the pod is reachable, for `status.podIP` */
export function containerEnvironment(
  pod: Pod,
  container: Container,
  sources: ConfigSources,
  podIp: string,
): EnvironmentResult {
  try {
    const env: Record<string, string> = {};
    const skipped = fromSources(container, sources, env);
    for (const variable of container.env ?? []) {
      const value = valueOf(variable, pod, sources, podIp);
      if (value !== undefined) env[variable.name] = variable.valueFrom === undefined ? expand(value, env) : value;
    }
    const command = (container.command ?? []).map((text) => expand(text, env));
    const args = (container.args ?? []).map((text) => expand(text, env));
    return { kind: "complete", value: { env, command, args, skipped } };
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

function valueOf(variable: EnvVar, pod: Pod, sources: ConfigSources, podIp: string): string | undefined {
  const from = variable.valueFrom;
  if (from === undefined) return variable.value ?? "";
  if (from.fieldRef !== undefined) return fieldOf(pod, from.fieldRef.fieldPath, podIp);
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

function fieldOf(pod: Pod, path: string, podIp: string): string {
  const subscript = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(path);
  if (subscript !== null) {
    const map = subscript[1] === "labels" ? pod.metadata.labels : pod.metadata.annotations;
    return map?.[subscript[2] ?? ""] ?? "";
  }
  const fields: Readonly<Record<string, string | undefined>> = {
    "metadata.name": pod.metadata.name,
    "metadata.namespace": pod.metadata.namespace,
    "metadata.uid": pod.metadata.uid,
    "spec.nodeName": pod.spec.nodeName,
    "spec.serviceAccountName": pod.spec.serviceAccountName ?? "default",
    "status.podIP": podIp,
    "status.podIPs": podIp,
    "status.hostIP": podIp,
    "status.hostIPs": podIp,
  };
  if (!Object.hasOwn(fields, path)) throw new Missing(`field "${path}" of the pod cannot be used in the environment`);
  return fields[path] ?? "";
}
