/** Objects of every shape, cut out of the samples, and edits of them. Which they are is fast-check's choice. */
import fc from "fast-check";
import { isObject } from "#lib";
import type { KindSample } from "./kube-objects.ts";

export type Fields = Record<string, unknown>;
type Choose = fc.GeneratorValue;

/** What an object of some kind cannot be without, or only in the company of another field. Never cut away. */
const essential = new Set(
  (
    "containers name image containerPort port key kind path mountPath operator secretName claimName resource fieldPath " +
    "conditionType topologyKey whenUnsatisfiable maxSkew labelSelector httpGet exec grpc tcpSocket command configMapRef " +
    "secretRef valueFrom configMapKeyRef secretKeyRef fieldRef resourceFieldRef spec selector template metadata schedule " +
    "jobTemplate scaleTargetRef type target metric policies describedObject averageUtilization value averageValue " +
    "maxReplicas minReplicas periodSeconds accessModes resources requests storage capacity hostPath clusterIP " +
    "externalName ports targetPort involvedObject namespace controller roleRef apiGroup rules verbs apiGroups " +
    "nonResourceURLs subjects addressType endpoints addresses provisioner data revision http paths pathType backend " +
    "service number host cidr ipBlock podSelector from to preference weight podAffinityTerm nodeSelectorTerms " +
    "matchExpressions values matchLabels app ip hostnames limits hard clientIP timeoutSeconds action onExitCodes " +
    "onPodConditions status emptyDir pods object external volumes volumeMounts restartPolicy labels configMap secret " +
    "downwardAPI projected persistentVolumeClaim sources items serviceAccountToken serviceAccountName containerName " +
    "protocol required requiredDuringSchedulingIgnoredDuringExecution completionMode completions backoffLimitPerIndex " +
    "maxFailedIndexes podFailurePolicy nodeAffinity firstTimestamp lastTimestamp sessionAffinity subsets podCIDR " +
    "initContainers addresses parameters apiVersion hostname subsets"
  ).split(" "),
);

const numbers = new Set("replicas minReadySeconds revisionHistoryLimit parallelism count failureThreshold".split(" "));
const words = new Set("image note example.com/team workingDir description message tier reason".split(" "));

/** A sample with some of its fields left out and some changed, under this name. */
export function objectOf(choose: Choose, sample: KindSample, name: string): Fields {
  const object = vary(choose, cut(choose, sample.object, choose(fc.constantFrom, 0, 5, 20))) as Fields;
  return { ...object, metadata: { ...(object["metadata"] as Fields), name } };
}

function hits(choose: Choose, percent: number): boolean {
  return percent > 0 && choose(fc.nat, { max: 99 }) < percent;
}

function cut(choose: Choose, value: unknown, percent: number): unknown {
  // Most of a pod is the same wherever it stands; telling each of its fields apart each time would take all the time.
  if (Array.isArray(value)) {
    const kept = value.filter((item) => typeof item !== "object" || value.length === 1 || !hits(choose, percent / 2));
    return (kept.length === 0 ? value : kept).map((item) => cut(choose, item, percent));
  }
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key]) => essential.has(key) || !hits(choose, percent));
  return Object.fromEntries(kept.map(([key, inner]) => [key, cut(choose, inner, percent)]));
}

function vary(choose: Choose, value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => vary(choose, item));
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, vary(choose, v, k)]));
  if (typeof value === "number" && numbers.has(key) && hits(choose, 25)) return value + 1;
  return typeof value === "string" && words.has(key) && hits(choose, 25) ? `${value}x` : value;
}

/** A merge patch that says what the object says, and takes some of its fields away. */
export function withNulls(choose: Choose, value: unknown): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => {
    const gone = !essential.has(key) && hits(choose, 8);
    return [key, gone ? null : withNulls(choose, inner)] as const;
  });
  return Object.fromEntries(entries);
}

/** A JSON patch that takes one thing away. */
export function removal(choose: Choose, object: Fields): { op: string; path: string }[] {
  const { labels, annotations } = object["metadata"] as Fields;
  const places = pointers({ spec: object["spec"], data: object["data"], metadata: { labels, annotations } });
  return [{ op: "remove", path: choose(fc.constantFrom, ...places) }];
}

function pointers(value: unknown, at = ""): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (inner === undefined) return [];
    const path = `${at}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    return [path, ...pointers(inner, path)];
  });
}
