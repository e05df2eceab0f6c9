/** Names, labels and claims by which a pod of a StatefulSet is that one and no other: pure. */
import {
  type PersistentVolumeClaim,
  type Pod,
  type PodTemplateSpec,
  type StatefulSet,
  statefulSets,
  type Volume,
} from "#api";
import { podFromTemplate } from "../pods/pod-writes.ts";
import { revisionHashLabel } from "../revisions/plan-revisions.ts";

const podNameLabel = "statefulset.kubernetes.io/pod-name";
const indexLabel = "apps.kubernetes.io/pod-index";

/** A revision as far as pods are made of it. */
export interface PodRevision {
  readonly name: string;
  readonly template: PodTemplateSpec;
}

/** The number at the end of a pod's name; undefined for one that is not of this set. */
export function ordinalOf({ metadata }: StatefulSet, pod: Pod): number | undefined {
  const prefix = `${metadata.name}-`;
  if (!pod.metadata.name.startsWith(prefix)) return undefined;
  const rest = pod.metadata.name.slice(prefix.length);
  return /^(?:0|[1-9]\d{0,9})$/.test(rest) ? Number(rest) : undefined;
}

function claimName({ metadata }: StatefulSet, template: PersistentVolumeClaim, ordinal: number): string {
  return `${template.metadata.name}-${metadata.name}-${ordinal}`;
}

export function podOf(set: StatefulSet, revision: PodRevision, ordinal: number): Pod {
  const name = `${set.metadata.name}-${ordinal}`;
  const pod = podFromTemplate(statefulSets, set, revision.template, { name, generateName: `${set.metadata.name}-` });
  const labels = { ...pod.metadata.labels, ...identityLabels(name, ordinal), [revisionHashLabel]: revision.name };
  const { serviceName = "" } = set.spec;
  const templates = set.spec.volumeClaimTemplates ?? [];
  const claimed = templates.map((template): Volume => {
    return {
      name: template.metadata.name,
      persistentVolumeClaim: { claimName: claimName(set, template, ordinal) },
    };
  });
  const others = (pod.spec.volumes ?? []).filter(({ name: own }) => !claimed.some((volume) => volume.name === own));
  return {
    ...pod,
    metadata: { ...pod.metadata, labels },
    spec: {
      ...pod.spec,
      hostname: name,
      ...(serviceName === "" ? {} : { subdomain: serviceName }),
      ...(claimed.length === 0 ? {} : { volumes: [...claimed, ...others] }),
    },
  };
}

export function identityLabels(name: string, ordinal: number): Record<string, string> {
  return { [podNameLabel]: name, [indexLabel]: String(ordinal) };
}

/** The claims of one ordinal as the templates have them. */
export function claimsOf(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec.volumeClaimTemplates ?? []).map((template) => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name: claimName(set, template, ordinal),
      namespace: set.metadata.namespace ?? "",
      labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
      ...(template.metadata.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
    },
    spec: structuredClone(template.spec),
  }));
}
