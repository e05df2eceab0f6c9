import type { UsagePort } from "#kube";
import type { Workloads } from "#workloads";
import { nodeName } from "./addresses.ts";

/** What the node and its pods use, as the Kubernetes API tells it. */
export function usagePort({ usage }: Pick<Workloads, "usage">): UsagePort {
  return {
    nodes() {
      const node = usage.node();
      return node === undefined ? [] : [{ name: nodeName, ...node }];
    },
    pods: () => usage.pods(),
  };
}
