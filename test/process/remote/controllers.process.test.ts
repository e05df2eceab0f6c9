/** The controllers of releases on a real Kubernetes API: the same cases as on the embedded one. */
import { after, before } from "node:test";
import type { Cluster } from "#kube";
import { gitopsCases } from "../../../src/gitops/gitops.cases.ts";
import { rolloutCases } from "../../../src/rollouts/rollouts.cases.ts";
import { skipWithout } from "../../support/needs.ts";
import { type RealKubernetes, startRealKubernetes } from "../../support/remote-cluster.ts";

const skip = skipWithout("kube-apiserver") || skipWithout("etcd") || skipWithout("kube-controller-manager");
let kubernetes: RealKubernetes;

async function open(stack: AsyncDisposableStack): Promise<Cluster> {
  await kubernetes.clear();
  return stack.use(await kubernetes.connect());
}

if (skip === false) {
  before(async () => {
    kubernetes = await startRealKubernetes();
  });
  after(async () => await kubernetes[Symbol.asyncDispose]());
  rolloutCases("rollouts on a real Kubernetes API", open);
  gitopsCases({
    name: "applications on a real Kubernetes API",
    open,
    skipValidation: "the definitions brought to a real cluster are open: what is in an object is judged in conditions",
  });
} else {
  process.stdout.write(`Skipped: ${skip}\n`);
}
