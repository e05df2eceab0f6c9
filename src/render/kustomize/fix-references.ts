/** Rewrites the names in references after prefixes, suffixes and hashes have renamed what they point to. */
import { isObject } from "#lib";
import { KustomizeError } from "./errors.ts";
import { visitField, type FieldSpec } from "./field-path.ts";
import { nameReferences, type NameReference } from "./name-references.ts";
import { effectiveNamespace, matchesKind, shownId, type KindPattern, type Resource } from "./resource.ts";

interface Reference {
  readonly referrer: Resource;
  readonly target: KindPattern;
  readonly path: string;
  readonly candidates: readonly Resource[];
}

/** Changes the objects in place. Throws `KustomizeError` when a reference could mean several objects. */
export function fixReferences(resources: readonly Resource[]): void {
  for (const referrer of resources) {
    const id = referrer.originalId;
    let reachable: readonly Resource[] | undefined;
    for (const rule of nameReferences) {
      for (const spec of referrersOf(rule, id)) {
        reachable ??= couldReach(referrer, resources);
        fixField({ referrer, target: rule.target, path: spec.path, candidates: reachable });
      }
    }
  }
}

function referrersOf(rule: NameReference, id: KindPattern): FieldSpec[] {
  return rule.referrers.filter((spec) => matchesKind(id, spec));
}

function fixField(reference: Reference): void {
  visitField(reference.referrer.object, reference.path, false, (holder, field) => {
    const value = holder[field];
    if (Array.isArray(value)) holder[field] = value.map((item: unknown) => fixed(reference, item));
    else holder[field] = fixed(reference, value);
  });
}

function fixed(reference: Reference, value: unknown): unknown {
  if (typeof value === "string") return select(reference, value, reference.candidates)?.object.metadata.name ?? value;
  if (!isObject(value) || typeof value["name"] !== "string") return value;
  const namespace = value["namespace"];
  const candidates = reference.candidates.filter((candidate) =>
    inNamespace(candidate, namespace, reference.candidates),
  );
  const found = select(reference, value["name"], candidates);
  if (found === undefined) return value;
  const named = { ...value, name: found.object.metadata.name };
  return found.object.metadata.namespace === undefined
    ? named
    : { ...named, namespace: found.object.metadata.namespace };
}

/** A namespace beside the name means the original namespace; only if nothing had it, the current one. */
function inNamespace(candidate: Resource, namespace: unknown, all: readonly Resource[]): boolean {
  if (typeof namespace !== "string") return true;
  const byOriginal = all.some((other) => effectiveNamespace(other.originalId) === namespace);
  return effectiveNamespace(byOriginal ? candidate.originalId : candidate.id) === namespace;
}

function select(reference: Reference, name: string, candidates: readonly Resource[]): Resource | undefined {
  const { referrer, target } = reference;
  const roleKind = reference.path.endsWith("roleRef/name") ? roleRefKind(referrer) : undefined;
  const named = candidates.filter(
    (candidate) =>
      candidate.previousIds.some((id) => id.name === name) &&
      candidate.previousIds.some((id) => matchesKind(id, target)) &&
      (roleKind === undefined || candidate.previousIds.some((id) => matchesKind(id, roleKind))) &&
      sharesNamespace(referrer, candidate),
  );
  if (named.length <= 1) return named[0];
  let close = named.filter((candidate) => sameAffixes(referrer, candidate, true));
  if (close.length > 1) close = close.filter((candidate) => sameAffixes(referrer, candidate, false));
  if (close.length <= 1) return close[0];
  const names = new Set(close.map((candidate) => candidate.object.metadata.name));
  if (names.size === 1) return close[0];
  const list = close.map((candidate) => shownId(candidate.id)).join(", ");
  throw new KustomizeError(`Cannot tell what "${name}" in ${shownId(referrer.id)} refers to: it could be ${list}`);
}

function roleRefKind(referrer: Resource): KindPattern | undefined {
  const roleRef = referrer.object["roleRef"];
  if (!isObject(roleRef) || typeof roleRef["kind"] !== "string" || typeof roleRef["apiGroup"] !== "string")
    return undefined;
  return { group: roleRef["apiGroup"], kind: roleRef["kind"] };
}

function sharesNamespace(referrer: Resource, candidate: Resource): boolean {
  const own = effectiveNamespace(referrer.id);
  const other = effectiveNamespace(candidate.id);
  return own === "/cluster" || other === "/cluster" || own === other || candidate.object.kind === "ServiceAccount";
}

function sameAffixes(a: Resource, b: Resource, allowEmpty: boolean): boolean {
  return sameList(a.prefixes, b.prefixes, allowEmpty) && sameList(a.suffixes, b.suffixes, allowEmpty);
}

/** Affixes are innermost first, so two objects of one layer end alike: the shorter list must be the other's tail. */
function sameList(a: readonly string[], b: readonly string[], allowEmpty: boolean): boolean {
  if (a.length === 0 || b.length === 0) return allowEmpty || a.length === b.length;
  const length = Math.min(a.length, b.length);
  return a.slice(-length).every((affix, index) => affix === b.slice(-length)[index]);
}

/** What this object may refer to at all: its own namespace, cluster-wide objects, and namespaces of RoleBinding subjects. */
function couldReach(referrer: Resource, resources: readonly Resource[]): readonly Resource[] {
  const own = effectiveNamespace(referrer.id);
  if (own === "/cluster") return resources;
  const bound = subjectNamespaces(referrer);
  return resources.filter((resource) => {
    const namespace = effectiveNamespace(resource.id);
    return namespace === "/cluster" || namespace === own || bound.has(resource.object.metadata.namespace ?? "");
  });
}

function subjectNamespaces(referrer: Resource): ReadonlySet<string> {
  const subjects = referrer.object.kind === "RoleBinding" ? referrer.object["subjects"] : undefined;
  if (!Array.isArray(subjects)) return new Set();
  const namespaces = subjects.map((subject: unknown) =>
    isObject(subject) && subject["kind"] === "ServiceAccount" ? subject["namespace"] : undefined,
  );
  return new Set(namespaces.filter((namespace) => typeof namespace === "string"));
}
