/**
 * `securityContext` of a pod and of a container in one, and the container's limits: pure. A field that no runtime here
 * can honour is refused by name; none is passed over in silence.
 */
import { type Container, milliOf, type Pod } from "#api";
import type { ContainerToStart } from "../ports.ts";

type Security = NonNullable<ContainerToStart["security"]>;
type Limits = NonNullable<ContainerToStart["limits"]>;

export type SecurityResult =
  | { readonly kind: "complete"; readonly value: Security | undefined }
  /** The container waits with CreateContainerConfigError. */
  | { readonly kind: "missing"; readonly message: string };

/** Fields that are honoured, of pod and container alike. */
const known: ReadonlySet<string> = new Set([
  "runAsUser",
  "runAsGroup",
  "runAsNonRoot",
  "fsGroup",
  "fsGroupChangePolicy",
  "supplementalGroups",
  "seccompProfile",
  "privileged",
  "readOnlyRootFilesystem",
  "allowPrivilegeEscalation",
  "capabilities",
]);

interface SecurityContext {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly runAsNonRoot?: boolean;
  readonly fsGroup?: number;
  readonly supplementalGroups?: readonly number[];
  readonly seccompProfile?: { readonly type?: string };
  readonly privileged?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
}

export function securityOf(pod: Pod, container: Container): SecurityResult {
  const [ofPod, ofContainer] = [pod.spec.securityContext ?? {}, container.securityContext ?? {}];
  const problem = unknownField(ofPod, "spec.securityContext") ?? unknownField(ofContainer, "securityContext");
  const shared = ["hostPID", "hostIPC", "shareProcessNamespace"].find((field) => pod.spec[field] === true);
  const refused = problem ?? (shared === undefined ? undefined : `spec.${shared}`);
  if (refused !== undefined) {
    return { kind: "missing", message: `container "${container.name}": ${refused} is not available on this node` };
  }
  // What the container says counts more, field by field.
  const given: SecurityContext = { ...ofPod, ...ofContainer };
  if (Object.values(given).every(isEmpty)) return { kind: "complete", value: undefined };
  return withSeccomp(container, given);
}

function withSeccomp(container: Container, given: SecurityContext): SecurityResult {
  const seccomp = given.seccompProfile?.type;
  if (seccomp !== undefined && seccomp !== "RuntimeDefault" && seccomp !== "Unconfined") {
    const message = `container "${container.name}": seccompProfile "${seccomp}" is not available on this node, use RuntimeDefault`;
    return { kind: "missing", message };
  }
  const { runAsUser, runAsGroup, fsGroup, allowPrivilegeEscalation } = given;
  const value: Security = {
    privileged: given.privileged === true,
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    runAsNonRoot: given.runAsNonRoot === true,
    groups: given.supplementalGroups ?? [],
    ...(fsGroup === undefined ? {} : { fsGroup }),
    readOnlyRootFilesystem: given.readOnlyRootFilesystem === true,
    ...(allowPrivilegeEscalation === undefined ? {} : { allowPrivilegeEscalation }),
    addCapabilities: capabilityNames(given.capabilities?.add),
    dropCapabilities: capabilityNames(given.capabilities?.drop),
    seccomp,
  };
  return { kind: "complete", value };
}

function unknownField(context: Readonly<Record<string, unknown>>, path: string): string | undefined {
  const field = Object.keys(context).find((name) => !known.has(name) && !isEmpty(context[name]));
  return field === undefined ? undefined : `${path}.${field}`;
}

/** `{}`, `[]`, `Default`: asks for nothing. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "Default") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** `CAP_NET_ADMIN` and `net_admin` are `NET_ADMIN`. */
function capabilityNames(names: readonly string[] = []): string[] {
  return names.map((name) => name.toUpperCase().replace(/^CAP_/, ""));
}

/** `500m` of CPU is half a processor, `64Mi` of memory 67,108,864 bytes. */
export function limitsOf(container: Container): Limits | undefined {
  const { cpu, memory } = container.resources?.limits ?? {};
  const cpuMillis = cpu === undefined ? undefined : milliOf(cpu);
  const memoryMilli = memory === undefined ? undefined : milliOf(memory);
  if ((cpuMillis ?? memoryMilli) === undefined) return undefined;
  return {
    ...(cpuMillis === undefined ? {} : { cpuMillis }),
    ...(memoryMilli === undefined ? {} : { memoryBytes: Math.ceil(memoryMilli / 1000) }),
  };
}
