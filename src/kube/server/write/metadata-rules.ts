/** What upstream demands of every object's metadata. Pure. */
import { type AnyObject, labelFaults, labelValueFaults, qualifiedNameFaults, subdomainFaults } from "#api";
import type { Problem } from "#lib";
import type { ServedKind } from "../registry/served-kind.ts";

const maxAnnotationsBytes = 256 * 1024;

export function metadataProblems(kind: ServedKind, object: AnyObject): Problem[] {
  const { metadata } = object;
  return [
    ...nameProblems(kind, metadata.name),
    ...labelProblems(metadata.labels ?? {}),
    ...annotationProblems(metadata.annotations ?? {}),
    ...ownerProblems(object),
  ];
}

function nameProblems(kind: ServedKind, name: string): Problem[] {
  const path = "metadata.name";
  // RBAC names may hold colons; they are path segments, nothing more.
  if (kind.type.group === "rbac.authorization.k8s.io") {
    return name === "." || name === ".." || /[/%]/.test(name)
      ? [{ path, message: invalidValue(name, "may not be '.', '..' or contain '/' or '%'") }]
      : [];
  }
  if (kind.resource === "services") return faultsOf(path, name, serviceNameFaults(name));
  return faultsOf(path, name, kind.resource === "namespaces" ? labelFaults(name) : subdomainFaults(name));
}

/** Services are hosts by an older rule: a letter comes first. */
function serviceNameFaults(name: string): string[] {
  const pattern = "[a-z]([-a-z0-9]*[a-z0-9])?";
  const faults = name.length > 63 ? ["must be no more than 63 bytes"] : [];
  if (new RegExp(`^${pattern}$`).test(name)) return faults;
  return [
    ...faults,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and " +
      `end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${pattern}')`,
  ];
}

function labelProblems(labels: Readonly<Record<string, string>>): Problem[] {
  const path = "metadata.labels";
  return Object.entries(labels).flatMap(([key, value]) => [
    ...faultsOf(path, key, qualifiedNameFaults(key)),
    ...faultsOf(path, value, labelValueFaults(value)),
  ]);
}

function faultsOf(path: string, value: string, faults: readonly string[]): Problem[] {
  return faults.map((fault) => ({ path, message: invalidValue(value, fault) }));
}

function annotationProblems(annotations: Readonly<Record<string, string>>): Problem[] {
  const path = "metadata.annotations";
  const problems: Problem[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    bytes += key.length + Buffer.byteLength(value);
    problems.push(...faultsOf(path, key, qualifiedNameFaults(key.toLowerCase())));
  }
  if (bytes > maxAnnotationsBytes)
    problems.push({ path, message: `Too long: may not be more than ${maxAnnotationsBytes} bytes` });
  return problems;
}

function ownerProblems(object: AnyObject): Problem[] {
  const owners = object.metadata.ownerReferences ?? [];
  const problems: Problem[] = [];
  for (const [index, owner] of owners.entries()) {
    for (const field of ["apiVersion", "kind", "name", "uid"] as const) {
      if (owner[field] === "")
        problems.push({ path: `metadata.ownerReferences[${index}].${field}`, message: "Required value" });
    }
  }
  if (owners.filter((owner) => owner.controller === true).length > 1) {
    const message = "Invalid value: only one reference can have controller set to true";
    problems.push({ path: "metadata.ownerReferences", message });
  }
  return problems;
}

function invalidValue(value: string, rule: string): string {
  return `Invalid value: ${JSON.stringify(value)}: ${rule}`;
}
