/** Argo CD's `AppProject`: which repositories may go where. Fields and meanings are upstream's. */
import type { KubeObject } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";
import type { ApplicationDestination } from "./application.ts";

export interface GroupKindPattern {
  group: string;
  kind: string;
  name?: string;
}

export interface SyncWindow {
  kind?: "allow" | "deny";
  schedule?: string;
  duration?: string;
  applications?: string[];
  namespaces?: string[];
  clusters?: string[];
  manualSync?: boolean;
  timeZone?: string;
}

export interface AppProject extends KubeObject {
  spec: {
    description?: string;
    sourceRepos?: string[];
    destinations?: ApplicationDestination[];
    sourceNamespaces?: string[];
    /** Absent: no cluster-wide object may be applied. */
    clusterResourceWhitelist?: GroupKindPattern[];
    clusterResourceBlacklist?: GroupKindPattern[];
    /** Absent: every namespaced object may be applied; empty: none. */
    namespaceResourceWhitelist?: GroupKindPattern[];
    namespaceResourceBlacklist?: GroupKindPattern[];
    roles?: Record<string, unknown>[];
    syncWindows?: SyncWindow[];
    orphanedResources?: Record<string, unknown>;
    signatureKeys?: { keyID: string }[];
    [other: string]: unknown;
  };
  status?: Record<string, unknown>;
}

export const appProjects: ResourceType<AppProject> = {
  group: "argoproj.io",
  version: "v1alpha1",
  kind: "AppProject",
  plural: "appprojects",
  namespaced: true,
};
