/** What upstream checks of pod specs, with its paths and messages. */
import { deepEqual, type Problem } from "#lib";
import { invalid, required, unsupported } from "../argo/field-problem.ts";
import type { Container, Pod, PodSpec, Probe, Volume } from "./pod.ts";

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const dnsLabelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const portName = /^(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/;
const restartPolicies = ["Always", "OnFailure", "Never"];

export function validatePod(pod: Pod, old: Pod | undefined): readonly Problem[] {
  if (pod.spec === undefined) return [required("spec", "")];
  const problems = podSpecProblems(pod.spec, "spec");
  return old === undefined ? problems : [...problems, ...updateProblems(pod, old)];
}

export function podSpecProblems(spec: PodSpec | undefined, path: string): Problem[] {
  if (spec === undefined) return [required(path, "")];
  const containers = spec.containers ?? [];
  const problems: Problem[] = containers.length === 0 ? [required(`${path}.containers`, "")] : [];
  if (spec.restartPolicy !== undefined && !restartPolicies.includes(spec.restartPolicy)) {
    problems.push(unsupported(`${path}.restartPolicy`, spec.restartPolicy, restartPolicies));
  }
  const grace = spec.terminationGracePeriodSeconds;
  if (grace !== undefined && grace < 0) {
    problems.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, "must be greater than or equal to 0"));
  }
  problems.push(...volumeProblems(spec.volumes ?? [], `${path}.volumes`));
  const names = new Set<string>();
  const volumes = new Set((spec.volumes ?? []).map((volume) => volume.name));
  for (const [field, list] of [
    ["initContainers", spec.initContainers ?? []],
    ["containers", containers],
  ] as const) {
    list.forEach((container, index) => {
      problems.push(...containerProblems(container, `${path}.${field}[${index}]`, volumes));
      problems.push(...nameProblems(container.name, `${path}.${field}[${index}].name`, names));
      problems.push(...containerPolicyProblems(container, `${path}.${field}[${index}]`, field === "initContainers"));
    });
  }
  return problems;
}

/** Among init containers `Always` makes a sidecar; nothing else is known, and nothing at all of other containers. */
function containerPolicyProblems(container: Container, path: string, isInit: boolean): Problem[] {
  const { restartPolicy } = container;
  const at = `${path}.restartPolicy`;
  if (restartPolicy !== undefined && !isInit) {
    return [{ path: at, message: "Forbidden: may not be set for non-init containers" }];
  }
  if (restartPolicy !== undefined && restartPolicy !== "Always") return [unsupported(at, restartPolicy, ["Always"])];
  if (!isInit || restartPolicy === "Always") return [];
  const given = (["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const).filter(
    (field) => container[field] !== undefined,
  );
  const message = "Forbidden: may not be set for init containers without restartPolicy=Always";
  return given.map((field) => ({ path: `${path}.${field}`, message }));
}

function nameProblems(name: string | undefined, path: string, seen: Set<string>): Problem[] {
  if (name === undefined || name === "") return [required(path, "")];
  if (!dnsLabel.test(name)) return [invalid(path, name, dnsLabelRule)];
  if (seen.has(name)) return [{ path, message: `Duplicate value: ${JSON.stringify(name)}` }];
  seen.add(name);
  return [];
}

function volumeProblems(volumes: readonly Volume[], path: string): Problem[] {
  const names = new Set<string>();
  return volumes.flatMap((volume, index) => {
    const sources = Object.keys(volume).filter((field) => field !== "name" && volume[field] !== undefined);
    const several = { path: `${path}[${index}]`, message: "Forbidden: may not specify more than 1 volume type" };
    return [...nameProblems(volume.name, `${path}[${index}].name`, names), ...(sources.length > 1 ? [several] : [])];
  });
}

function containerProblems(container: Container, path: string, volumes: ReadonlySet<string>): Problem[] {
  const problems: Problem[] = [];
  if (!container.image) problems.push(required(`${path}.image`, ""));
  else if (container.image !== container.image.trim()) {
    problems.push(invalid(`${path}.image`, container.image, "must not have leading or trailing whitespace"));
  }
  problems.push(...portProblems(container, path));
  (container.env ?? []).forEach((variable, index) => {
    if (!variable.name) problems.push(required(`${path}.env[${index}].name`, ""));
    else if (variable.value !== undefined && variable.value !== "" && variable.valueFrom !== undefined) {
      const message = "may not be specified when `value` is not empty";
      problems.push(invalid(`${path}.env[${index}].valueFrom`, "", message));
    }
  });
  (container.volumeMounts ?? []).forEach((mount, index) => {
    const at = `${path}.volumeMounts[${index}]`;
    if (!mount.mountPath) problems.push(required(`${at}.mountPath`, ""));
    if (!volumes.has(mount.name))
      problems.push({ path: `${at}.name`, message: `Not found: ${JSON.stringify(mount.name)}` });
  });
  problems.push(...probeProblems(container.livenessProbe, `${path}.livenessProbe`, true));
  problems.push(...probeProblems(container.readinessProbe, `${path}.readinessProbe`, false));
  problems.push(...probeProblems(container.startupProbe, `${path}.startupProbe`, true));
  return problems;
}

function portProblems(container: Container, path: string): Problem[] {
  const names = new Set<string>();
  return (container.ports ?? []).flatMap((port, index) => {
    const at = `${path}.ports[${index}]`;
    const problems: Problem[] = [];
    if (!Number.isInteger(port.containerPort) || port.containerPort < 1 || port.containerPort > 65_535) {
      problems.push(invalid(`${at}.containerPort`, port.containerPort, "must be between 1 and 65535, inclusive"));
    }
    if (port.name === undefined) return problems;
    if (!portName.test(port.name))
      problems.push(invalid(`${at}.name`, port.name, "must be a lower-case port name of at most 15 characters"));
    if (names.has(port.name))
      problems.push({ path: `${at}.name`, message: `Duplicate value: ${JSON.stringify(port.name)}` });
    names.add(port.name);
    return problems;
  });
}

const handlers = ["httpGet", "tcpSocket", "exec", "grpc"] as const;

function probeProblems(probe: Probe | undefined, path: string, successIsOne: boolean): Problem[] {
  if (probe === undefined) return [];
  const problems: Problem[] = [];
  const given = handlers.filter((handler) => probe[handler] !== undefined);
  if (given.length === 0) problems.push(required(path, "must specify a handler type"));
  for (const handler of given.slice(1)) {
    problems.push({ path: `${path}.${handler}`, message: "Forbidden: may not specify more than 1 handler type" });
  }
  if (probe.exec !== undefined && (probe.exec.command ?? []).length === 0) {
    problems.push(required(`${path}.exec.command`, ""));
  }
  for (const field of [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ] as const) {
    const value = probe[field];
    if (value !== undefined && value < 0)
      problems.push(invalid(`${path}.${field}`, value, "must be greater than or equal to 0"));
  }
  if (successIsOne && probe.successThreshold !== undefined && probe.successThreshold !== 1) {
    problems.push(invalid(`${path}.successThreshold`, probe.successThreshold, "must be 1"));
  }
  return problems;
}

const updateRule =
  "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," +
  "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/** The node may be named once: that is how a pod is bound. */
function updateProblems(pod: Pod, old: Pod): Problem[] {
  const bound = old.spec.nodeName ?? "";
  if (bound !== "" && pod.spec.nodeName !== bound) return [{ path: "spec", message: updateRule }];
  return deepEqual(fixedPart(pod.spec), fixedPart(old.spec)) ? [] : [{ path: "spec", message: updateRule }];
}

/** Undefined fields count as missing when compared. */
function fixedPart(spec: PodSpec): unknown {
  const imageless = (containers: readonly Container[] | undefined): unknown =>
    (containers ?? []).map((container) => ({ ...container, image: undefined }));
  return {
    ...spec,
    containers: imageless(spec.containers),
    initContainers: imageless(spec.initContainers),
    activeDeadlineSeconds: undefined,
    nodeName: undefined,
    terminationGracePeriodSeconds: undefined,
    tolerations: undefined,
  };
}
