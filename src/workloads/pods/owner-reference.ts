import { apiVersionOf, type KubeObject, type OwnerReference, type ResourceType } from "#api";

/** The reference by which `owner` controls an object. */
export function ownerReference(type: ResourceType<KubeObject>, owner: KubeObject): OwnerReference {
  const { name, uid = "" } = owner.metadata;
  return { apiVersion: apiVersionOf(type), kind: type.kind, name, uid, controller: true, blockOwnerDeletion: true };
}
