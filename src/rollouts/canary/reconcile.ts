/** Observe → plan → act, with the question for the split answered in between. */
import type { Cluster } from "#kube";
import { type Informers, type Outcome, type Request, settled } from "#controller";
import type { Clock } from "#lib";
import type { TrafficPort } from "../ports.ts";
import { act } from "./act.ts";
import { observeRollout } from "./observe.ts";
import type { ObservedTraffic } from "./observed.ts";
import { planRollout } from "./plan.ts";

export interface RolloutReconcilerOptions {
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly traffic: TrafficPort;
  readonly clock: Clock;
}

/** The split may change with what is observed between asking and planning on; after that many tries the next event goes on. */
const maximumQuestions = 5;

export function createRolloutReconciler(
  options: RolloutReconcilerOptions,
): (request: Request, signal: AbortSignal) => Promise<Outcome> {
  return async (request, signal) => {
    let traffic: ObservedTraffic = options.cluster.capabilities.exactWeights ? { kind: "unknown" } : { kind: "none" };
    for (let question = 0; question < maximumQuestions; question++) {
      const observed = await observeRollout(options, request, traffic, signal);
      if (observed === undefined) return settled;
      const actions = planRollout(observed);
      const [first] = actions;
      if (first?.kind !== "setWeights") return await act(options, observed, actions, signal);
      const { namespace = "default", name, uid = "" } = observed.rollout.metadata;
      const wanted = { namespace, rollout: name, uid, weights: first.weights };
      const { verified } = await options.traffic.setWeights(wanted, signal);
      traffic = { kind: "set", weights: first.weights, verified };
    }
    return { kind: "wait", ms: 10, reason: "pods come and go" };
  };
}
