/** How the pods of a job are named, numbered and marked: pure. */
import { type Container, type Job, jobs, type Pod } from "#api";
import { podFromTemplate } from "../pods/pod-writes.ts";

/** Keeps a pod until it is counted. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
/** Annotation and label alike. */
export const indexKey = "batch.kubernetes.io/job-completion-index";
const failuresKey = "batch.kubernetes.io/job-index-failure-count";
const ignoredFailuresKey = "batch.kubernetes.io/job-index-ignored-failure-count";

export function isIndexed({ spec }: Job): boolean {
  return spec.completionMode === "Indexed";
}

export function isTracked({ metadata }: Pod): boolean {
  return metadata.finalizers?.includes(trackingFinalizer) ?? false;
}

/** The pod's completion index; undefined where it has none that the job has. */
export function indexOf({ spec }: Job, { metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[indexKey];
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  return Number(text) < (spec.completions ?? 0) ? Number(text) : undefined;
}

export interface IndexFailures {
  readonly counted: number;
  readonly ignored: number;
}

/** Failures of the index before this pod. */
export function failuresBefore({ metadata }: Pod): IndexFailures {
  const read = (key: string): number => {
    const text = metadata.annotations?.[key] ?? "0";
    return /^\d{1,9}$/.test(text) ? Number(text) : 0;
  };
  return { counted: read(failuresKey), ignored: read(ignoredFailuresKey) };
}

export interface PodToCreate {
  /** Of an indexed job. */
  readonly index?: number;
  /** Where failures are counted by index. */
  readonly failures?: IndexFailures;
}

/** What comes before the part of chance in a pod's name. */
export function namePrefix({ metadata }: Job, { index }: PodToCreate): string {
  if (index === undefined) return `${metadata.name}-`;
  const suffix = `-${index}-`;
  return `${metadata.name.slice(0, 58 - suffix.length)}${suffix}`;
}

export function jobPodOf(
  job: Job,
  wanted: PodToCreate,
  names: { readonly name: string; readonly generateName: string },
): Pod {
  const pod = podFromTemplate(jobs, job, job.spec.template, names);
  const finalizers = [
    ...(pod.metadata.finalizers ?? []).filter((name) => name !== trackingFinalizer),
    trackingFinalizer,
  ];
  const { index, failures } = wanted;
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const counts =
    failures === undefined
      ? {}
      : {
          [failuresKey]: String(failures.counted),
          ...(failures.ignored === 0 ? {} : { [ignoredFailuresKey]: String(failures.ignored) }),
        };
  const { containers, initContainers } = pod.spec;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      finalizers,
      labels: { ...pod.metadata.labels, [indexKey]: String(index) },
      annotations: { ...pod.metadata.annotations, [indexKey]: String(index), ...counts },
    },
    spec: {
      ...pod.spec,
      hostname: `${job.metadata.name}-${index}`,
      containers: containers.map(withIndex),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(withIndex) }),
    },
  };
}

function withIndex(container: Container): Container {
  const name = "JOB_COMPLETION_INDEX";
  const env = container.env ?? [];
  if (env.some((variable) => variable.name === name)) return container;
  const fieldPath = `metadata.labels['${indexKey}']`;
  return { ...container, env: [...env, { name, valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } } }] };
}
