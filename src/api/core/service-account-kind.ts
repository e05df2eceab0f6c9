import { defineKind } from "../meta/kind.ts";
import type { KubeObject } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";

export interface ServiceAccount extends KubeObject {
  secrets?: { name?: string }[];
  imagePullSecrets?: { name: string }[];
  automountServiceAccountToken?: boolean;
}

export const serviceAccounts: ResourceType<ServiceAccount> = {
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  namespaced: true,
};

export const serviceAccountKind = defineKind<ServiceAccount>({
  type: serviceAccounts,
  singular: "serviceaccount",
  shortNames: ["sa"],
  status: false,
  generation: false,
  fields: ["secrets", "imagePullSecrets", "automountServiceAccountToken"],
  columns: [{ name: "Secrets", type: "integer", cell: ({ secrets }) => secrets?.length ?? 0 }],
});
