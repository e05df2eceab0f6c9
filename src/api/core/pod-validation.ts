/** What upstream checks of pods and of the pod specs in templates, with its paths and messages. */
import { deepEqual, type Problem } from "#lib";
import { invalid, required, unsupported } from "../argo/field-problem.ts";
import {
  faultProblems,
  labelFaults,
  labelValueFaults,
  qualifiedNameFaults,
  subdomainFaults,
} from "../meta/name-rules.ts";
import { containerProblems, hostPortProblems } from "./container-validation.ts";
import { placementProblems, tolerationProblems } from "./placement-validation.ts";
import type { Container, Pod, PodSpec, Toleration } from "./pod.ts";
import { probesProblems } from "./probe-validation.ts";
import { volumeProblems } from "./volume-validation.ts";

const restartPolicies = ["Always", "OnFailure", "Never"];
const dnsPolicies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

export function validatePod(pod: Pod, old: Pod | undefined): readonly Problem[] {
  if (pod.spec === undefined) return [required("spec", "")];
  const problems = [...podSpecProblems(pod.spec, "spec"), ...imageProblems(pod.spec)];
  return old === undefined ? problems : [...problems, ...updateProblems(pod, old)];
}

/** Only of pods themselves: templates have been let through with blanks for too long. */
function imageProblems(spec: PodSpec): Problem[] {
  return (["containers", "initContainers"] as const).flatMap((field) =>
    (spec[field] ?? []).flatMap(({ image }, index) =>
      image === undefined || image === image.trim()
        ? []
        : [invalid(`spec.${field}[${index}].image`, image, "must not have leading or trailing whitespace")],
    ),
  );
}

export function podSpecProblems(spec: PodSpec | undefined, path: string): Problem[] {
  if (spec === undefined) return [required(path, "")];
  const { problems, sound } = volumeProblems(spec, `${path}.volumes`);
  const containers = spec.containers ?? [];
  if (containers.length === 0) problems.push(required(`${path}.containers`, ""));
  problems.push(...regularProblems(spec, `${path}.containers`, sound));
  problems.push(...initProblems(spec, `${path}.initContainers`, sound));
  if (spec.restartPolicy !== undefined && !restartPolicies.includes(spec.restartPolicy)) {
    problems.push(unsupported(`${path}.restartPolicy`, spec.restartPolicy, restartPolicies));
  }
  if (spec.dnsPolicy !== undefined && !dnsPolicies.includes(spec.dnsPolicy)) {
    problems.push(unsupported(`${path}.dnsPolicy`, spec.dnsPolicy, dnsPolicies));
  }
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) {
    problems.push(...faultProblems(`${path}.nodeSelector`, key, qualifiedNameFaults(key)));
    problems.push(...faultProblems(`${path}.nodeSelector`, value, labelValueFaults(value)));
  }
  (spec.imagePullSecrets ?? []).forEach(({ name }, index) => {
    if (!name) problems.push(required(`${path}.imagePullSecrets[${index}].name`, ""));
  });
  problems.push(...gateProblems(spec, path), ...placementProblems(spec, path), ...scalarProblems(spec, path));
  return [...problems, ...tolerationProblems(spec["tolerations"], `${path}.tolerations`), ...aliasProblems(spec, path)];
}

function regularProblems(spec: PodSpec, path: string, volumes: ReadonlySet<string>): Problem[] {
  const containers = spec.containers ?? [];
  const names = new Set<string>();
  const problems = containers.flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const found = containerProblems(container, at, volumes);
    if (names.has(container.name)) found.push(duplicateName(container, at));
    names.add(container.name);
    found.push(...probesProblems(container, at, spec.terminationGracePeriodSeconds));
    if (container.restartPolicy !== undefined) {
      found.push({ path: `${at}.restartPolicy`, message: "Forbidden: may not be set for non-init containers" });
    }
    return found;
  });
  return [...problems, ...hostPortProblems(containers, path)];
}

function duplicateName({ name }: Container, path: string): Problem {
  return { path: `${path}.name`, message: `Duplicate value: ${JSON.stringify(name)}` };
}

/** `Always` among init containers makes a sidecar, which may be probed; no other policy is known. */
function initProblems(spec: PodSpec, path: string, volumes: ReadonlySet<string>): Problem[] {
  const names = new Set((spec.containers ?? []).map(({ name }) => name));
  return (spec.initContainers ?? []).flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const problems = containerProblems(container, at, volumes);
    const { restartPolicy } = container;
    if (restartPolicy !== undefined && restartPolicy !== "Always") {
      problems.push(unsupported(`${at}.restartPolicy`, restartPolicy, ["Always"]));
    }
    if (names.has(container.name)) problems.push(duplicateName(container, at));
    else if (container.name) names.add(container.name);
    problems.push(...hostPortProblems([container], path));
    if (restartPolicy === "Always") {
      return [...problems, ...probesProblems(container, at, spec.terminationGracePeriodSeconds)];
    }
    const message = "Forbidden: may not be set for init containers without restartPolicy=Always";
    const given = (["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const).filter(
      (field) => container[field] !== undefined,
    );
    return [...problems, ...given.map((field) => ({ path: `${at}.${field}`, message }))];
  });
}

function gateProblems(spec: PodSpec, path: string): Problem[] {
  const gates = spec["readinessGates"];
  if (!Array.isArray(gates)) return [];
  return (gates as { conditionType?: string }[]).flatMap(({ conditionType = "" }, index) =>
    faultProblems(`${path}.readinessGates[${index}].conditionType`, conditionType, qualifiedNameFaults(conditionType)),
  );
}

function scalarProblems(spec: PodSpec, path: string): Problem[] {
  const problems: Problem[] = [];
  for (const [field, faults] of [
    ["serviceAccountName", subdomainFaults],
    ["nodeName", subdomainFaults],
  ] as const) {
    const value = spec[field];
    if (value) problems.push(...faultProblems(`${path}.${field}`, value, faults(value)));
  }
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > 2_147_483_647)) {
    problems.push(invalid(`${path}.activeDeadlineSeconds`, deadline, "must be between 1 and 2147483647, inclusive"));
  }
  for (const field of ["hostname", "subdomain"] as const) {
    const value: unknown = spec[field];
    if (typeof value === "string" && value !== "") {
      problems.push(...faultProblems(`${path}.${field}`, value, labelFaults(value)));
    }
  }
  const grace = spec.terminationGracePeriodSeconds;
  if (grace !== undefined && grace < 0) {
    problems.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, "must be greater than or equal to 0"));
  }
  return problems;
}

const address = /^(?:\d{1,3}\.){3}\d{1,3}$|:/;

function aliasProblems(spec: PodSpec, path: string): Problem[] {
  const aliases = spec["hostAliases"];
  if (!Array.isArray(aliases)) return [];
  return (aliases as { ip?: string; hostnames?: string[] }[]).flatMap(({ ip = "", hostnames = [] }, index) => {
    const at = `${path}.hostAliases[${index}]`;
    const why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    return [
      ...(address.test(ip) ? [] : [invalid(`${at}.ip`, ip, why)]),
      ...hostnames.flatMap((name, place) => faultProblems(`${at}.hostnames[${place}]`, name, subdomainFaults(name))),
    ];
  });
}

const updateRule =
  "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," +
  "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/** The node may be named once: that is how a pod is bound. */
function updateProblems(pod: Pod, old: Pod): Problem[] {
  const bound = old.spec.nodeName ?? "";
  if (bound !== "" && pod.spec.nodeName !== bound) return [{ path: "spec", message: updateRule }];
  if (!deepEqual(fixedPart(pod.spec), fixedPart(old.spec))) return [{ path: "spec", message: updateRule }];
  const now = (pod.spec.tolerations ?? []).map(timeless);
  const kept = (old.spec.tolerations ?? []).every((before) => now.some((after) => deepEqual(after, timeless(before))));
  const message = "Forbidden: existing toleration can not be modified except its tolerationSeconds";
  return kept ? [] : [{ path: "spec.tolerations", message }];
}

function timeless({ key, operator, value, effect }: Toleration): unknown {
  return { key, operator, value, effect };
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
