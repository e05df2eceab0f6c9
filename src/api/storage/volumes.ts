/** Storage that outlives pods: claims, volumes and the classes that make them. */
import type { Condition, KubeObject, LabelSelector } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";

export type AccessMode = "ReadWriteOnce" | "ReadOnlyMany" | "ReadWriteMany" | "ReadWriteOncePod";

interface VolumeResources {
  requests?: Record<string, string>;
  limits?: Record<string, string>;
}

export interface PersistentVolumeClaim extends KubeObject {
  spec: {
    accessModes?: AccessMode[];
    selector?: LabelSelector;
    resources?: VolumeResources;
    volumeName?: string;
    /** "" asks for a volume without a class; absent for the default class. */
    storageClassName?: string;
    volumeMode?: "Filesystem" | "Block";
    dataSource?: unknown;
    dataSourceRef?: unknown;
  };
  status?: {
    phase?: "Pending" | "Bound" | "Lost";
    accessModes?: AccessMode[];
    capacity?: Record<string, string>;
    conditions?: Condition[];
  };
}

export type ReclaimPolicy = "Retain" | "Delete" | "Recycle";

export interface PersistentVolume extends KubeObject {
  spec: {
    capacity?: Record<string, string>;
    accessModes?: AccessMode[];
    persistentVolumeReclaimPolicy?: ReclaimPolicy;
    storageClassName?: string;
    volumeMode?: "Filesystem" | "Block";
    claimRef?: { apiVersion?: string; kind?: string; namespace?: string; name?: string; uid?: string };
    hostPath?: { path: string; type?: string };
    local?: { path: string };
    nodeAffinity?: unknown;
    [source: string]: unknown;
  };
  status?: {
    phase?: "Pending" | "Available" | "Bound" | "Released" | "Failed";
    message?: string;
    reason?: string;
    lastPhaseTransitionTime?: string;
  };
}

export interface StorageClass extends KubeObject {
  provisioner: string;
  parameters?: Record<string, string>;
  reclaimPolicy?: ReclaimPolicy;
  volumeBindingMode?: "Immediate" | "WaitForFirstConsumer";
  allowVolumeExpansion?: boolean;
  mountOptions?: string[];
}

export const persistentVolumeClaims: ResourceType<PersistentVolumeClaim> = {
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  namespaced: true,
};
export const persistentVolumes: ResourceType<PersistentVolume> = {
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  namespaced: false,
};
export const storageClasses: ResourceType<StorageClass> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  plural: "storageclasses",
  namespaced: false,
};
