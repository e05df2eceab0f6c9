/**
 * The verbs of the API server over the store, without HTTP. Everything here is synchronous: each write reads, decides
 * and commits in one step, so no two writes ever interleave.
 */
import type { AnyObject, CompletionContext } from "#api";
import { type Clock, type Ids, isObject, mergePatch, toTimestamp } from "#lib";
import type { PropagationPolicy } from "../client/cluster.ts";
import { KubeError } from "../client/kube-error.ts";
import type { ObjectKey } from "../store/object-key.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { defaultNamespaces } from "./lifecycle/default-namespaces.ts";
import { isReleased, planDeletion } from "./lifecycle/deletion.ts";
import { applyJsonPatch } from "./patch/json-patch.ts";
import { applyStrategicPatch } from "./patch/strategic-merge.ts";
import type { KindRegistry } from "./registry/kind-registry.ts";
import type { ServedKind } from "./registry/served-kind.ts";
import { alreadyExists, badRequest, conflict, forbidden, modifiedMeanwhile, notFound, unlocked } from "./refusals.ts";
import type { Selection } from "./select/selection.ts";
import { applyConflict } from "./fields/conflict-error.ts";
import { storedEntries } from "./fields/managed-entry.ts";
import { planApply } from "./fields/plan-apply.ts";
import { draftOf, toObject } from "./write/body.ts";
import { toConfiguration, withLastApplied } from "./write/configuration.ts";
import { fitConfiguration } from "./write/fit-to-kind.ts";
import { recordRewrite } from "./write/managed-fields.ts";
import {
  type Birth,
  prepareAppliedCreate,
  prepareAppliedUpdate,
  prepareCreate,
  prepareUpdate,
  refuseInTerminatingNamespace,
} from "./write/prepare.ts";
import type { ApplyRequest, WriteRequest } from "./write/write-request.ts";
import { freezeDeep } from "../store/frozen.ts";

export interface Place {
  readonly namespace?: string | undefined;
  readonly name: string;
}

export interface DeleteRequest {
  readonly propagationPolicy?: PropagationPolicy | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Gone at once, or the object that waits for its finalizers, its dependents or its runner. */
export type DeleteResult = { readonly gone: boolean; readonly object: AnyObject };

export type PatchBody = { readonly type: "merge" | "json" | "strategic"; readonly patch: unknown };

const undeletableNamespaces: ReadonlySet<string> = new Set(defaultNamespaces);

export class ObjectApi {
  readonly store: ObjectStore;
  readonly kinds: KindRegistry;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(parts: { store: ObjectStore; kinds: KindRegistry; clock: Clock; ids: Ids }) {
    this.store = parts.store;
    this.kinds = parts.kinds;
    this.#clock = parts.clock;
    this.#ids = parts.ids;
  }

  find(kind: ServedKind, place: Place): AnyObject | undefined {
    const object = this.store.get(keyOf(kind, place));
    return object === undefined ? undefined : asVersion(kind, object);
  }

  /** Throws NotFound. */
  get(kind: ServedKind, place: Place): AnyObject {
    const object = this.find(kind, place);
    if (object === undefined) throw notFound(kind.type, place.name);
    return object;
  }

  /** By namespace and name, as of now. */
  list(kind: ServedKind, selection: Selection): AnyObject[] {
    return this.store
      .list(kind.resource, selection.namespace)
      .filter(selection.matches)
      .map((object) => asVersion(kind, object));
  }

  create(kind: ServedKind, namespace: string | undefined, body: unknown, request: WriteRequest): AnyObject {
    const object = toObject(kind, body);
    placeInNamespace(kind, object, namespace);
    if (kind.stored !== undefined) {
      return asVersion(kind, this.create(kind.stored, namespace, toStored(kind, object, request), request));
    }
    return this.#add(kind, prepareCreate(kind, object, request, this.#birth(kind)), request);
  }

  /** PUT. Throws NotFound when there is no such object; creating by PUT is for kinds of upstream we do not serve. */
  update(kind: ServedKind, place: Place, body: unknown, request: WriteRequest): AnyObject {
    const sent = toObject(kind, body, this.find(kind, place));
    if (sent.metadata.name !== place.name) throw otherName(sent.metadata.name, place.name);
    placeInNamespace(kind, sent, place.namespace);
    const old = this.get(kind, place);
    if (kind.lockedUpdates === true && !sent.metadata.resourceVersion) throw unlocked(kind.type, place.name);
    return this.#replace(kind, place, old, sent, request);
  }

  patch(kind: ServedKind, place: Place, body: PatchBody, request: WriteRequest): AnyObject {
    const old = this.get(kind, place);
    const result = patched(kind, old, body);
    // Without its type the outcome could not be read back.
    if (isObject(result) && !(result["apiVersion"] && result["kind"])) throw otherName(undefined, place.name);
    const sent = toObject(kind, result, old);
    if (sent.metadata.name !== place.name) throw otherName(sent.metadata.name, place.name);
    placeInNamespace(kind, sent, place.namespace);
    return this.#replace(kind, place, old, sent, request);
  }

  /** Server-side apply. Creates what is not there. Throws Conflict when fields of others would change. */
  apply(kind: ServedKind, place: Place, body: unknown, request: ApplyRequest): { object: AnyObject; created: boolean } {
    const sent = toObject(kind, body);
    const { metadata } = sent;
    // The typed view says there is always a name; an applier may leave it to the URL.
    if ((metadata as Partial<typeof metadata>).name === undefined) metadata.name = place.name;
    if (metadata.name !== place.name) throw otherName(metadata.name, place.name);
    placeInNamespace(kind, sent, place.namespace);
    if (kind.stored !== undefined) {
      const { object, created } = this.apply(kind.stored, place, toStored(kind, sent, request), request);
      return { object: asVersion(kind, object), created };
    }
    const asked = toConfiguration(kind, sent, request);
    const live = this.find(kind, place);
    if (live === undefined && request.subresource !== undefined) throw notFound(kind.type, place.name);
    if (live === undefined && metadata.uid !== undefined) {
      const why = `the provided object specified uid ${metadata.uid}, and no existing object was found`;
      throw conflict(kind.type, place.name, `uid mismatch: ${why}`);
    }
    const writer = { manager: request.manager, subresource: request.subresource, time: this.#now() };
    const entries = storedEntries(live?.metadata.managedFields);
    const plan = planApply({ kind, live, entries, asked, writer, force: request.force });
    if (plan.outcome === "conflict") throw applyConflict(plan.conflicts);
    if (live === undefined) {
      const created = prepareAppliedCreate(kind, plan, request, this.#birth(kind));
      return { object: this.#add(kind, created, request), created: true };
    }
    const applied = { ...plan, object: withLastApplied(plan.object, asked, request.manager) };
    const next = prepareAppliedUpdate(kind, live, applied, request, this.#context(kind));
    return { object: this.#settle(kind, place, { old: live, next, request }), created: false };
  }

  delete(kind: ServedKind, place: Place, request: DeleteRequest): DeleteResult {
    const object = this.get(kind, place);
    const { uid, resourceVersion } = request.preconditions ?? {};
    if (uid !== undefined && uid !== object.metadata.uid) {
      const why = `the UID in the precondition (${uid}) does not match the UID in record (${object.metadata.uid})`;
      throw conflict(kind.type, place.name, `${why}. The object might have been deleted and then recreated`);
    }
    if (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion) {
      throw modifiedMeanwhile(kind.type, place.name);
    }
    if (kind.resource === "namespaces" && undeletableNamespaces.has(place.name)) {
      throw forbidden(kind.type, place.name, "this namespace may not be deleted");
    }
    const deletion = planDeletion(
      kind,
      object,
      { propagationPolicy: request.propagationPolicy ?? "Background", gracePeriodSeconds: request.gracePeriodSeconds },
      this.#clock.now(),
    );
    const key = keyOf(kind, place);
    switch (deletion.kind) {
      case "remove":
        return { gone: true, object: (request.dryRun === true ? undefined : this.store.remove(key)) ?? object };
      case "mark":
        if (request.dryRun === true) return { gone: false, object: freezeDeep(deletion.object) };
        return { gone: false, object: this.store.put(key, deletion.object) };
      case "wait":
        return { gone: false, object };
    }
  }

  /** Stores what `change` makes of the object, past all checks: for the system's own lifecycle steps. */
  rewrite(key: ObjectKey, change: (draft: AnyObject) => void): void {
    const old = this.store.get(key);
    const kind = this.kinds.findByStoredName(key.resource);
    if (old === undefined || kind === undefined) return;
    const draft = draftOf(old);
    change(draft);
    recordRewrite(kind, old, draft);
    if (isReleased(kind, draft)) this.store.remove(key);
    else this.store.put(key, draft);
  }

  #replace(kind: ServedKind, place: Place, old: AnyObject, sent: AnyObject, request: WriteRequest): AnyObject {
    if (kind.stored !== undefined) {
      const next = toStored(kind, sent, request);
      return asVersion(kind, this.#replace(kind.stored, place, this.get(kind.stored, place), next, request));
    }
    const next = prepareUpdate(kind, old, sent, request, this.#context(kind));
    return this.#settle(kind, place, { old, next, request });
  }

  #settle(
    kind: ServedKind,
    place: Place,
    { old, next, request }: { old: AnyObject; next: AnyObject; request: WriteRequest },
  ): AnyObject {
    if (next === old) return old;
    request.admit?.(next, old);
    if (request.dryRun) return freezeDeep(next);
    const key = keyOf(kind, place);
    if (!isReleased(kind, next)) return this.store.put(key, next);
    this.store.remove(key);
    return freezeDeep(next);
  }

  #add(kind: ServedKind, created: AnyObject, request: WriteRequest): AnyObject {
    const key = keyOf(kind, created.metadata);
    request.admit?.(created, undefined);
    this.#requireNamespace(kind, created);
    if (this.store.get(key) !== undefined) throw alreadyExists(kind.type, key.name);
    if (request.dryRun) return freezeDeep(created);
    return this.store.put(key, created);
  }

  #birth(kind: ServedKind): Birth {
    return { ...this.#context(kind), uid: this.#ids.uuid(), suffix: this.#ids.suffix() };
  }

  #context(kind: ServedKind): CompletionContext {
    return { now: this.#now(), peers: () => this.store.list(kind.resource) };
  }

  #requireNamespace(kind: ServedKind, object: AnyObject): void {
    if (!kind.type.namespaced) return;
    const name = object.metadata.namespace ?? "";
    const namespace = this.store.get({ resource: "namespaces", namespace: "", name });
    if (namespace === undefined) {
      throw new KubeError("NotFound", `namespaces "${name}" not found`, { name, kind: "namespaces" });
    }
    if (namespace.metadata.deletionTimestamp !== undefined) {
      refuseInTerminatingNamespace(kind, object.metadata.name, name);
    }
  }

  #now(): string {
    return toTimestamp(this.#clock.now());
  }
}

function keyOf(kind: ServedKind, place: { namespace?: string | undefined; name: string }): ObjectKey {
  return {
    resource: kind.resource,
    namespace: kind.type.namespaced ? (place.namespace ?? "") : "",
    name: place.name,
  };
}

/** A body of a version that is kept in another's form. What its own shape does not have is reported here. */
function toStored(kind: ServedKind, object: AnyObject, request: WriteRequest): AnyObject {
  fitConfiguration(kind, object, request);
  return kind.storedAs?.to(object) ?? object;
}

function otherName(found: string | undefined, wanted: string): KubeError {
  if (found === undefined || found === "") {
    return badRequest(`the name of the object (${wanted} based on URL) was undeterminable: name must be provided`);
  }
  return badRequest(`the name of the object (${found}) does not match the name on the URL (${wanted})`);
}

/** The stored object as this version of its kind; those of CRDs differ in the apiVersion only (conversion None). */
export function asVersion(kind: ServedKind, object: AnyObject): AnyObject {
  if (kind.storedAs !== undefined && kind.stored?.type.kind === object.kind) {
    const storedVersion =
      kind.stored.type.group === ""
        ? kind.stored.type.version
        : `${kind.stored.type.group}/${kind.stored.type.version}`;
    if (object.apiVersion === storedVersion) return freezeDeep(kind.storedAs.from(object));
  }
  const { group, version } = kind.type;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  return object.apiVersion === apiVersion ? object : freezeDeep({ ...object, apiVersion });
}

function placeInNamespace(kind: ServedKind, object: AnyObject, namespace: string | undefined): void {
  const { metadata } = object;
  if (!kind.type.namespaced) {
    delete metadata.namespace;
    return;
  }
  if (metadata.namespace === undefined || metadata.namespace === "") {
    if (namespace === undefined || namespace === "") {
      throw badRequest("an empty namespace may not be set during creation");
    }
    metadata.namespace = namespace;
  }
  if (namespace !== undefined && metadata.namespace !== namespace) {
    throw badRequest(
      `the namespace of the provided object does not match the namespace sent on the request: ` +
        `"${metadata.namespace}", not "${namespace}"`,
    );
  }
}

function patched(kind: ServedKind, old: AnyObject, body: PatchBody): unknown {
  switch (body.type) {
    case "json":
      return applyJsonPatch(old, body.patch);
    case "merge":
      return mergePatch(old, body.patch);
    case "strategic":
      return applyStrategicPatch(kind, old, body.patch);
  }
}
