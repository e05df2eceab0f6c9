/** Sees to it that the present template of an owner is a revision of its history. */
import { type ControllerRevision, controllerRevisions, controllerOf, type KubeObject } from "#api";
import { isKubeError } from "#kube";
import { deepEqual } from "#lib";
import type { ControllerContext } from "../controller-context.ts";
import type { OwnWrites } from "../pods/own-writes.ts";
import { claim } from "../pods/claim.ts";
import { ownerReference } from "../pods/owner-reference.ts";
import { type HistoryObserved, planHistory } from "./plan-revisions.ts";

export interface KeptHistory {
  /** Of the present template. */
  readonly update: ControllerRevision;
  /** All of the owner's, the present one included. */
  readonly revisions: readonly ControllerRevision[];
  readonly collisionCount: number | undefined;
}

type Owner = KubeObject & { readonly spec: Pick<HistoryObserved, "template"> & { readonly selector: object } };

/** How often a name may be taken by another template before we give up; each time it gets another. */
const maxCollisions = 20;

export async function keepHistory<T extends Owner>(
  context: ControllerContext,
  written: OwnWrites<ControllerRevision>,
  owner: Omit<HistoryObserved, "revisions" | "template"> & { readonly owner: T },
  signal: AbortSignal,
): Promise<KeptHistory> {
  const { namespace = "" } = owner.owner.metadata;
  const { selector, template } = owner.owner.spec;
  const claims = claim(owner.owner, selector, written.list(namespace));
  for (const orphan of claims.adopt) await adopt(context, written, owner, orphan, signal);
  let { collisionCount } = owner;
  for (let attempt = 0; attempt < maxCollisions; attempt++) {
    const revisions = claims.owned;
    const plan = planHistory({ ...owner, template, revisions, collisionCount });
    if (plan.kind === "present") return { update: plan.revision, revisions, collisionCount };
    if (plan.kind === "renumber") {
      const update = await renumber(context, plan.revision, plan.number, signal);
      written.written(update);
      const others = revisions.filter(({ metadata }) => metadata.uid !== update.metadata.uid);
      return { update, revisions: [...others, update], collisionCount };
    }
    const update = await create(context, owner.owner, plan.revision, signal);
    if (update !== undefined) {
      written.written(update);
      return { update, revisions: [...revisions, update], collisionCount };
    }
    collisionCount = (collisionCount ?? 0) + 1;
  }
  throw new Error(
    `Cannot name a revision of "${owner.owner.metadata.name}": ${maxCollisions} names are taken by others`,
  );
}

async function adopt(
  { cluster }: ControllerContext,
  written: OwnWrites<ControllerRevision>,
  { type, owner }: Pick<HistoryObserved, "type" | "owner">,
  { metadata }: ControllerRevision,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = "", name, uid, resourceVersion } = metadata;
  const ownerReferences = [...(metadata.ownerReferences ?? []), ownerReference(type, owner)];
  const patch = { metadata: { uid, resourceVersion, ownerReferences } };
  written.written(await cluster.patch(controllerRevisions, { namespace, name }, { type: "merge", patch }, { signal }));
}

async function renumber(
  { cluster }: ControllerContext,
  { metadata }: ControllerRevision,
  revision: number,
  signal: AbortSignal,
): Promise<ControllerRevision> {
  const { namespace = "", name, uid, resourceVersion } = metadata;
  const patch = { metadata: { uid, resourceVersion }, revision };
  return await cluster.patch(controllerRevisions, { namespace, name }, { type: "merge", patch }, { signal });
}

/** The revision, also when only the cache did not know of it yet; undefined when another template has its name. */
async function create(
  { cluster }: ControllerContext,
  owner: KubeObject,
  revision: ControllerRevision,
  signal: AbortSignal,
): Promise<ControllerRevision | undefined> {
  try {
    return await cluster.create(controllerRevisions, revision, { signal });
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
  }
  const { namespace = "", name } = revision.metadata;
  const present = await cluster.get(controllerRevisions, { namespace, name }, { signal });
  const ours = present !== undefined && controllerOf(present)?.uid === owner.metadata.uid;
  return ours && deepEqual(present.data, revision.data) ? present : undefined;
}

export async function removeRevisions(
  { cluster }: ControllerContext,
  written: OwnWrites<ControllerRevision>,
  surplus: readonly ControllerRevision[],
  signal: AbortSignal,
): Promise<void> {
  for (const revision of surplus) {
    const { namespace = "", name, uid = "" } = revision.metadata;
    try {
      await cluster.delete(controllerRevisions, { namespace, name }, { preconditions: { uid }, signal });
      written.deleted(revision);
    } catch (error) {
      if (!isKubeError(error, "NotFound") && !isKubeError(error, "Conflict")) throw error;
    }
  }
}
