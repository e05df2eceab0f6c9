/** Keeps the replicas of a target where its metrics want them: looks every 15 s, as upstream does. */
import {
  type HorizontalPodAutoscaler,
  horizontalPodAutoscalers,
  type MetricSpec,
  type Pod,
  pods,
  type ResourceType,
} from "#api";
import { type Controller, createController, type Outcome, recordEvent, type Request, settled } from "#controller";
import { isKubeError } from "#kube";
import { deepEqual, errorMessage } from "#lib";
import type { ControllerContext } from "../controller-context.ts";
import type { PodUsage, UsageSampler } from "../node/usage-sampler.ts";
import type { Memory } from "./behaviour.ts";
import {
  type AutoscalerEvent,
  type AutoscalerObserved,
  type AutoscalerPlan,
  failedRescale,
  planAutoscaler,
  type TargetScale,
} from "./plan-autoscaler.ts";
import type { MetricSeriesPort } from "./ports.ts";
import type { MetricReading } from "./readings.ts";

const lookEveryMs = 15_000;
const component = "horizontal-pod-autoscaler";

export interface AutoscalingParts {
  readonly usage: Pick<UsageSampler, "pods">;
  readonly series: MetricSeriesPort;
}

export function createAutoscalerController(context: ControllerContext, parts: AutoscalingParts): Controller {
  const { informers, clock, ids, log } = context;
  const autoscaler = new Autoscaler(context, parts);
  return createController({
    name: component,
    informers,
    primary: horizontalPodAutoscalers,
    reconcile: (request, signal) => autoscaler.reconcile(request, signal),
    clock,
    ids,
    log,
  });
}

class Autoscaler {
  readonly #context: ControllerContext;
  readonly #parts: AutoscalingParts;
  /** By uid; what an autoscaler that is gone remembered goes with it. */
  readonly #memories = new Map<string, Memory>();
  /** When each was last looked at: a change of its status, which is ours, is no reason to look again. */
  readonly #looked = new Map<string, { readonly atMs: number; readonly spec: HorizontalPodAutoscaler["spec"] }>();

  constructor(context: ControllerContext, parts: AutoscalingParts) {
    this.#context = context;
    this.#parts = parts;
  }

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<Outcome> {
    const { informers, clock } = this.#context;
    const all = informers.for(horizontalPodAutoscalers);
    const object = all.get(namespace, name);
    this.#forgetGone(new Set(all.list().map(({ metadata }) => metadata.uid ?? "")));
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return settled;
    const uid = object.metadata.uid ?? "";
    const nowMs = clock.now().epochMilliseconds;
    const looked = this.#looked.get(uid);
    const waitMs = looked === undefined || !deepEqual(looked.spec, object.spec) ? 0 : looked.atMs + lookEveryMs - nowMs;
    if (waitMs > 0) return { kind: "wait", ms: waitMs, reason: "metrics are looked at every 15 s" };
    this.#looked.set(uid, { atMs: nowMs, spec: object.spec });
    try {
      await this.#look(object, nowMs, signal);
    } catch (error) {
      this.#looked.delete(uid);
      throw error;
    }
    return { kind: "wait", ms: lookEveryMs, reason: "metrics are looked at every 15 s" };
  }

  #forgetGone(uids: ReadonlySet<string>): void {
    for (const map of [this.#memories, this.#looked]) for (const uid of map.keys()) if (!uids.has(uid)) map.delete(uid);
  }

  async #look(object: HorizontalPodAutoscaler, nowMs: number, signal: AbortSignal): Promise<void> {
    const uid = object.metadata.uid ?? "";
    const observed = await this.#observe(object, nowMs, signal);
    const planned = planAutoscaler(observed);
    const plan = planned.rescale === undefined ? planned : await this.#rescale(observed, planned, signal);
    if (plan.memory !== undefined) this.#memories.set(uid, plan.memory);
    for (const event of plan.events) await this.#tell(object, event, signal);
    if (deepEqual(plan.status, object.status)) return;
    const { namespace = "", name } = object.metadata;
    const patch = { type: "merge", patch: { metadata: { uid }, status: plan.status } } as const;
    const options = { signal, subresource: "status", fieldManager: component } as const;
    await this.#context.cluster.patch(horizontalPodAutoscalers, { namespace, name }, patch, options);
  }

  async #observe(autoscaler: HorizontalPodAutoscaler, nowMs: number, signal: AbortSignal): Promise<AutoscalerObserved> {
    const memory = this.#memories.get(autoscaler.metadata.uid ?? "");
    const scale = await this.#scaleOf(autoscaler, signal);
    const unread = { autoscaler, nowMs, scale, pods: [], rivals: [], readings: [], memory };
    if ("problem" in scale) return unread;
    const namespace = autoscaler.metadata.namespace ?? "";
    const own = await this.#podsOf(namespace, scale.selector, signal);
    if ("problem" in own) return { ...unread, pods: own };
    const rivals = await this.#rivals(autoscaler, own, signal);
    const metrics = autoscaler.spec.metrics ?? [];
    const readings = await Promise.all(metrics.map((spec) => this.#read(spec, namespace, own, signal)));
    return { ...unread, pods: own, rivals, readings };
  }

  async #scaleOf(
    { metadata, spec }: HorizontalPodAutoscaler,
    signal: AbortSignal,
  ): Promise<TargetScale | { readonly problem: string }> {
    const { apiVersion = "", kind, name } = spec.scaleTargetRef;
    const type = this.#context.cluster.resolveType(apiVersion, kind);
    if (type === undefined) return { problem: `no matches for kind "${kind}" in version "${apiVersion}"` };
    try {
      return await this.#askScale(type, { namespace: metadata.namespace ?? "", name }, signal);
    } catch (error) {
      signal.throwIfAborted();
      return { problem: errorMessage(error) };
    }
  }

  /** A patch that changes nothing, tried out, answers with the scale. */
  async #askScale(
    type: ResourceType,
    key: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<TargetScale> {
    const options = { signal, subresource: "scale", dryRun: true } as const;
    const answer: unknown = await this.#context.cluster.patch(type, key, { type: "merge", patch: {} }, options);
    const { spec, status } = answer as { spec: { replicas: number }; status: { replicas: number; selector?: string } };
    return { specReplicas: spec.replicas, statusReplicas: status.replicas, selector: status.selector ?? "" };
  }

  async #podsOf(
    namespace: string,
    selector: string,
    signal: AbortSignal,
  ): Promise<readonly Pod[] | { readonly problem: string }> {
    if (selector === "") return [];
    try {
      return (await this.#context.cluster.list(pods, { namespace, labelSelector: selector, signal })).items;
    } catch (error) {
      if (isKubeError(error, "BadRequest")) return { problem: errorMessage(error) };
      throw error;
    }
  }

  /** Others of the namespace that have one of these pods: then nobody scales. */
  async #rivals(own: HorizontalPodAutoscaler, ownPods: readonly Pod[], signal: AbortSignal): Promise<string[]> {
    const { namespace = "", name } = own.metadata;
    const uids = new Set(ownPods.map(({ metadata }) => metadata.uid));
    const others = this.#context.informers.for(horizontalPodAutoscalers).list(namespace);
    const found: string[] = [];
    for (const other of others.filter(({ metadata }) => metadata.name !== name)) {
      const scale = await this.#scaleOf(other, signal);
      const theirs = "problem" in scale ? [] : await this.#podsOf(namespace, scale.selector, signal);
      if (!("problem" in theirs) && theirs.some(({ metadata }) => uids.has(metadata.uid)))
        found.push(other.metadata.name);
    }
    return found.length === 0 ? [] : [name, ...found].sort();
  }

  async #read(spec: MetricSpec, namespace: string, own: readonly Pod[], signal: AbortSignal): Promise<MetricReading> {
    const { series, usage } = this.#parts;
    try {
      switch (spec.type) {
        case "Resource":
          return resourceReading(usage.pods(), own, spec.resource?.name ?? "", undefined);
        case "ContainerResource":
          return resourceReading(
            usage.pods(),
            own,
            spec.containerResource?.name ?? "",
            spec.containerResource?.container,
          );
        case "Pods": {
          const found = await series.ofPods(spec.pods?.metric ?? { name: "" }, namespace, signal);
          return customReading(found, own, this.#context.clock.now().epochMilliseconds);
        }
        case "Object": {
          const { describedObject = { kind: "", name: "" }, metric = { name: "" } } = spec.object ?? {};
          return valuesReading(await series.ofObject(metric, { ...describedObject, namespace }, signal), "custom");
        }
        case "External":
          return valuesReading(await series.external(spec.external?.metric ?? { name: "" }, signal), "external");
      }
    } catch (error) {
      signal.throwIfAborted();
      return { kind: "error", message: errorMessage(error) };
    }
  }

  async #rescale(observed: AutoscalerObserved, plan: AutoscalerPlan, signal: AbortSignal): Promise<AutoscalerPlan> {
    const { metadata, spec } = observed.autoscaler;
    const { apiVersion = "", kind, name } = spec.scaleTargetRef;
    const { cluster, log } = this.#context;
    const type = cluster.resolveType(apiVersion, kind);
    const to = plan.rescale?.to ?? 0;
    try {
      if (type === undefined) throw new Error(`no matches for kind "${kind}" in version "${apiVersion}"`);
      const key = { namespace: metadata.namespace ?? "", name };
      const patch = { type: "merge", patch: { spec: { replicas: to } } } as const;
      await cluster.patch(type, key, patch, { signal, subresource: "scale", fieldManager: component });
      log.info("Scaled by metrics", { autoscaler: metadata.name, ...key, from: plan.rescale?.from, to });
      return plan;
    } catch (error) {
      signal.throwIfAborted();
      return failedRescale(observed, plan, errorMessage(error));
    }
  }

  async #tell(object: HorizontalPodAutoscaler, event: AutoscalerEvent, signal: AbortSignal): Promise<void> {
    const { cluster, clock } = this.#context;
    await recordEvent({ cluster, clock, component }, horizontalPodAutoscalers, object, event, signal);
  }
}

function resourceReading(
  usages: readonly PodUsage[],
  own: readonly Pod[],
  resource: string,
  container: string | undefined,
): MetricReading {
  if (resource !== "cpu" && resource !== "memory")
    return { kind: "error", message: `no usage is measured of ${resource}` };
  const uids = new Map(own.map(({ metadata }) => [metadata.uid, metadata.name]));
  const found = usages.flatMap(({ uid, at, windowMs, containers }) => {
    const name = uids.get(uid);
    const counted = containers.filter((usage) => container === undefined || usage.name === container);
    if (name === undefined || counted.length === 0) return [];
    const milli = counted.reduce(
      (sum, usage) => sum + (resource === "cpu" ? Math.ceil(usage.cpuNanoCores / 1e6) : usage.memoryBytes * 1000),
      0,
    );
    return [[name, { milli, atMs: at.epochMilliseconds, windowMs }] as const];
  });
  if (found.length === 0) return { kind: "error", message: "no metrics returned from resource metrics API" };
  return { kind: "pods", pods: new Map(found) };
}

function customReading(found: ReadonlyMap<string, number>, own: readonly Pod[], nowMs: number): MetricReading {
  const names = new Set(own.map(({ metadata }) => metadata.name));
  const pods = [...found].filter(([name]) => names.has(name));
  if (pods.length === 0) return { kind: "error", message: "no metrics returned from custom metrics API" };
  return {
    kind: "pods",
    pods: new Map(
      pods.map(([name, value]) => [name, { milli: Math.round(value * 1000), atMs: nowMs, windowMs: 60_000 }]),
    ),
  };
}

function valuesReading(values: readonly number[], api: "custom" | "external"): MetricReading {
  if (values.length === 0) return { kind: "error", message: `no metrics returned from ${api} metrics API` };
  return { kind: "values", values: values.map((value) => Math.round(value * 1000)) };
}
