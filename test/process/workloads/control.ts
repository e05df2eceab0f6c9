/** A control process for tests: runs two replicas in a folder's cluster, tells their addresses, and waits to be killed. */
import { deployments, type Deployment, pods, portMapAnnotation } from "#api";
import { runCluster, serverSpec, until } from "./harness.ts";

const running = await runCluster({ folder: process.argv[2] ?? "" });
process.stdin.resume();
process.stdout.write("running\n");
const deployment: Deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: serverSpec() },
  },
};
await running.cluster.create(deployments, deployment, { signal: AbortSignal.timeout(10_000) });
await until<Deployment>(running, deployments, "web", (present) => present?.status?.availableReplicas === 2);
const addresses = running.informers
  .for(pods)
  .list("default")
  .map((pod) => {
    const map = JSON.parse(pod.metadata.annotations?.[portMapAnnotation] ?? "{}") as Record<string, number>;
    return { url: `http://127.0.0.1:${map["8080"]}/` };
  });
process.stdout.write(`${JSON.stringify(addresses)}\n`);
