/** A former or present template of a StatefulSet or DaemonSet, as the patch that brings it back. */
import type { KubeObject } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";

export interface ControllerRevision extends KubeObject {
  data?: unknown;
  revision: number;
}

export const controllerRevisions: ResourceType<ControllerRevision> = {
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  namespaced: true,
};
