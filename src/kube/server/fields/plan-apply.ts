/** What a server-side apply makes of an object, and who owns what afterwards. Pure. */
import type { AnyObject } from "#api";
import type { ServedKind } from "../registry/served-kind.ts";
import { compareObjects, type Difference, isNone } from "./compare.ts";
import { dropReleased } from "./drop-released.ts";
import { difference, type FieldSet, intersection, isSameSet, pathsOf, union } from "./field-set.ts";
import { entryOf, isSameOwner, type ManagedEntry, sortEntries } from "./managed-entry.ts";
import { mergeConfiguration } from "./merge-configuration.ts";
import { knownEntries, ownable, ownerOf, releaseChanged, type Writer } from "./ownership.ts";
import { shapeOfKind } from "./shape.ts";
import { askedFor } from "./value-sets.ts";

export interface ApplyInput {
  readonly kind: ServedKind;
  /** Undefined when the apply is to create the object. */
  readonly live: AnyObject | undefined;
  readonly entries: readonly ManagedEntry[];
  /** What is applied: only fields this endpoint takes, defaults left out. */
  readonly asked: AnyObject;
  readonly writer: Writer;
  readonly force: boolean;
}

export interface Conflict {
  readonly owner: ManagedEntry;
  readonly path: readonly string[];
}

/**
 * conflict: fields the apply would change belong to others; nothing is to be written. apply: what to write, before
 * defaults, which belong to nobody. `object` shares parts with the input.
 */
export type ApplyPlan =
  | { readonly outcome: "conflict"; readonly conflicts: readonly Conflict[] }
  | { readonly outcome: "apply"; readonly object: AnyObject; readonly entries: readonly ManagedEntry[] };

/** By clients' kubectl: what was applied last, from when apply was the client's business. */
export const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

export function planApply(input: ApplyInput): ApplyPlan {
  const { kind, live, asked, writer } = input;
  const shape = shapeOfKind(kind);
  const owner = ownerOf(kind, writer, "Apply");
  const known = live === undefined ? input.entries : knownEntries(kind, live, input.entries, writer.time);
  const mine = known.find((entry) => isSameOwner(entry, owner));
  const others = known.filter((entry) => entry !== mine);
  const wanted = setOfAsked(kind, asked, writer.subresource);
  const owned = others.reduce((all, { fieldsV1 }) => union(all, fieldsV1), union(wanted, everyObjectHas));
  const merged = live === undefined ? asked : mergeConfiguration(live, asked, shape);
  const object = (mine === undefined ? merged : dropReleased(merged, mine.fieldsV1, owned, shape)) as AnyObject;
  const change = compareObjects(kind, live, object);
  if (!input.force) {
    const conflicts = conflictsOf(others, change).filter((conflict) => !isFromClientSide(input, conflict));
    if (conflicts.length > 0) return { outcome: "conflict", conflicts };
  }
  const left = releaseChanged(others, change);
  if (wanted === undefined) return { outcome: "apply", object, entries: sortEntries(left) };
  const same = mine?.apiVersion === owner.apiVersion && isNone(change) && isSameSet(mine.fieldsV1, wanted);
  // An apply that changes nothing has no time of its own, even where it makes its manager an owner.
  const entry = same ? mine : entryOf(owner, wanted, isNone(change) ? mine?.time : writer.time);
  return { outcome: "apply", object, entries: sortEntries([...left, entry]) };
}

/** The names of an object belong to nobody, and of its metadata only what can be owned counts. */
function setOfAsked(kind: ServedKind, asked: AnyObject, subresource: string | undefined): FieldSet | undefined {
  const set = askedFor(asked, shapeOfKind(kind), true);
  return ownable(kind, difference(set, unownable), subresource);
}

const leaf: FieldSet = {};
const unownable: FieldSet = {
  "f:apiVersion": leaf,
  "f:kind": leaf,
  "f:metadata": {
    ".": leaf,
    "f:name": leaf,
    "f:namespace": leaf,
    "f:uid": leaf,
    "f:resourceVersion": leaf,
    "f:generation": leaf,
    "f:creationTimestamp": leaf,
    "f:deletionTimestamp": leaf,
    "f:deletionGracePeriodSeconds": leaf,
    "f:selfLink": leaf,
  },
};

/** Whoever applies what: its metadata do not go because nobody labels it any more. */
const everyObjectHas: FieldSet = { "f:metadata": leaf };

function conflictsOf(others: readonly ManagedEntry[], { changed }: Difference): Conflict[] {
  return others.flatMap((owner) =>
    pathsOf(intersection(owner.fieldsV1, changed)).map((path) => ({ owner, path }) satisfies Conflict),
  );
}

/**
 * kubectl moving from client-side to server-side apply: fields that are still as it applied them last are its own,
 * though another manager has them. Only for kubectl's own name, as upstream does it.
 */
function isFromClientSide({ kind, live, writer }: ApplyInput, { path }: Conflict): boolean {
  if (writer.manager !== "kubectl" || live === undefined) return false;
  const text = live.metadata.annotations?.[lastAppliedAnnotation];
  const applied = text === undefined ? undefined : parseApplied(text);
  if (applied === undefined || applied.apiVersion !== live.apiVersion) return false;
  const { changed, removed } = compareObjects(kind, applied, live);
  const asApplied = difference(difference(setOfAsked(kind, applied, undefined), changed), removed);
  let node: FieldSet | undefined = asApplied;
  for (const step of path) node = node?.[step];
  return node !== undefined && (node["."] !== undefined || Object.keys(node).length === 0);
}

function parseApplied(text: string): AnyObject | undefined {
  try {
    const value = JSON.parse(text) as Partial<AnyObject> | null;
    return typeof value?.metadata === "object" && value.metadata !== null ? (value as AnyObject) : undefined;
  } catch {
    return undefined;
  }
}
