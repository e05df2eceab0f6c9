/** What upstream demands of every object's metadata. Pure. */
import type { AnyObject } from "#api";
import type { Problem } from "#lib";
import type { ServedKind } from "../registry/served-kind.ts";

const labelNamePattern = /^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/;
const subdomainPattern = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const dnsLabelPattern = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const maxAnnotationsBytes = 256 * 1024;

/** Kinds whose names are single DNS labels, since they become host names. */
const labelNamed: ReadonlySet<string> = new Set(["namespaces", "services"]);

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
  if (labelNamed.has(kind.resource)) {
    if (name.length <= 63 && dnsLabelPattern.test(name)) return [];
    const rule =
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " +
      "start and end with an alphanumeric character, and be at most 63 characters";
    return [{ path, message: invalidValue(name, rule) }];
  }
  if (name.length <= 253 && subdomainPattern.test(name)) return [];
  const rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " +
    "start and end with an alphanumeric character, and be at most 253 characters";
  return [{ path, message: invalidValue(name, rule) }];
}

function labelProblems(labels: Readonly<Record<string, string>>): Problem[] {
  const path = "metadata.labels";
  return Object.entries(labels).flatMap(([key, value]) => {
    const problems: Problem[] = [];
    if (!isQualifiedName(key)) problems.push({ path, message: invalidValue(key, "is not a label key") });
    if (value !== "" && !labelNamePattern.test(value)) {
      const rule = "a label value is at most 63 characters: letters, digits, '-', '_' or '.', the ends alphanumeric";
      problems.push({ path, message: invalidValue(value, rule) });
    }
    return problems;
  });
}

function annotationProblems(annotations: Readonly<Record<string, string>>): Problem[] {
  const path = "metadata.annotations";
  const problems: Problem[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    bytes += key.length + Buffer.byteLength(value);
    if (!isQualifiedName(key.toLowerCase()))
      problems.push({ path, message: invalidValue(key, "is not an annotation key") });
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

function isQualifiedName(key: string): boolean {
  const slash = key.indexOf("/");
  if (slash < 0) return labelNamePattern.test(key);
  const prefix = key.slice(0, slash);
  return prefix.length <= 253 && subdomainPattern.test(prefix) && labelNamePattern.test(key.slice(slash + 1));
}

function invalidValue(value: string, rule: string): string {
  return `Invalid value: ${JSON.stringify(value)}: ${rule}`;
}
