/** Pods and autoscalers for this room's tests. */
import type { HorizontalPodAutoscaler, MetricSpec, Pod } from "#api";
import type { MetricReading } from "./readings.ts";

const now = Temporal.Instant.from("2026-01-01T12:00:00Z");
export const nowMs = now.epochMilliseconds;

export interface PodOptions {
  readonly name: string;
  readonly request?: string;
  readonly phase?: "Pending" | "Running" | "Failed";
  readonly ready?: boolean;
  /** Seconds ago. */
  readonly started?: number;
  readonly changed?: number;
  readonly deleted?: boolean;
}

export function podOf(options: PodOptions): Pod {
  const {
    name,
    request = "100m",
    phase = "Running",
    ready = true,
    started = 600,
    changed = started - 1,
    deleted = false,
  } = options;
  const ago = (seconds: number): string => now.subtract({ seconds }).toString({ smallestUnit: "second" });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "shop", uid: name, ...(deleted ? { deletionTimestamp: ago(1) } : {}) },
    spec: {
      containers: [{ name: "app", image: "i", resources: { requests: request === "" ? {} : { cpu: request } } }],
    },
    status: {
      phase,
      startTime: ago(started),
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: ago(changed) }],
    },
  };
}

/** `count` pods that are alike, web-0 and on. */
export function podsOf(count: number, options: Omit<PodOptions, "name"> = {}): Pod[] {
  return Array.from({ length: count }, (_, index) => podOf({ ...options, name: `web-${index}` }));
}

/** Values in thousandths, of web-0 and on; undefined for a pod of which nothing is known. */
export function readingOf(
  values: readonly (number | undefined)[],
  atMs = nowMs,
): Extract<MetricReading, { kind: "pods" }> {
  const pods = values.flatMap((milli, index) =>
    milli === undefined ? [] : [[`web-${index}`, { milli, atMs, windowMs: 15_000 }] as const],
  );
  return { kind: "pods", pods: new Map(pods) };
}

export const cpuMetric: MetricSpec = {
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
};

export function autoscalerOf(
  spec: Partial<HorizontalPodAutoscaler["spec"]> = {},
  status?: HorizontalPodAutoscaler["status"],
): HorizontalPodAutoscaler {
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "web", namespace: "shop", uid: "hpa" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [cpuMetric],
      ...spec,
    },
    ...(status === undefined ? {} : { status }),
  };
}
