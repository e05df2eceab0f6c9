/** Story: pods are looked after: probed, initialised, scaled by what they use, and moved off a node with care. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { skipWithout } from "../support/needs.ts";
import { type Finished, type Followed, follow, run } from "../support/run-command.ts";
import { pushImage } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";

const skip = skipWithout("skopeo") || skipWithout("kubectl", ["version", "--client"]);

/** Works as hard as its ConfigMap says, in thousandths of a processor: by its own time, however busy the machine is. */
const worker = `
const { readFileSync } = require("node:fs");
const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
setInterval(() => {
  const until = used() + Number(readFileSync("load/milli", "utf8")) / 10;
  while (used() < until);
}, 100);
`;

const workers = (image: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: worker }
spec:
  replicas: 1
  selector: { matchLabels: { app: worker } }
  template:
    metadata: { labels: { app: worker } }
    spec:
      terminationGracePeriodSeconds: 1
      volumes: [{ name: load, configMap: { name: load } }]
      containers:
        - name: worker
          image: ${image}
          command: [node, -e, ${JSON.stringify(worker)}]
          resources: { requests: { cpu: 50m } }
          volumeMounts: [{ name: load, mountPath: /app/load }]
`;

/** Asks the API for the pods of its namespace, as any client inside a cluster would, until it may. */
const asker = `
const { readFileSync } = require("node:fs");
const { get } = require("node:https");
const file = (name) => readFileSync(process.env.TIDEGATE_ROOT + "/var/run/secrets/kubernetes.io/serviceaccount/" + name, "utf8");
const ask = () => get({
  host: process.env.KUBERNETES_SERVICE_HOST,
  port: process.env.KUBERNETES_SERVICE_PORT,
  path: "/api/v1/namespaces/" + file("namespace") + "/pods",
  ca: file("ca.crt"),
  headers: { authorization: "Bearer " + file("token") },
}, (answer) => {
  console.log("answered " + answer.statusCode);
  answer.resume();
  if (answer.statusCode !== 200) setTimeout(ask, 200);
});
ask();
`;

const askerPod = (image: string): string => `apiVersion: v1
kind: Pod
metadata: { name: asker }
spec:
  restartPolicy: Never
  containers: [{ name: asker, image: ${image}, command: [node, -e, ${JSON.stringify(asker)}] }]
`;

const guarded = (image: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: guarded }
spec:
  replicas: 2
  selector: { matchLabels: { app: guarded } }
  template:
    metadata: { labels: { app: guarded } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: ${image}
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /ready, port: http }, periodSeconds: 1 }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: guarded }
spec:
  minAvailable: 1
  selector: { matchLabels: { app: guarded } }
`;

const initialised = (image: string): string => `apiVersion: v1
kind: Pod
metadata: { name: initialised }
spec:
  terminationGracePeriodSeconds: 3
  volumes: [{ name: shared, emptyDir: {} }]
  initContainers:
    - name: prepare
      image: ${image}
      command: [sh, -c, "echo prepared > shared/log"]
      volumeMounts: [{ name: shared, mountPath: /app/shared }]
    - name: proxy
      image: ${image}
      restartPolicy: Always
      command: [sh, -c, "echo proxy >> shared/log; sleep 600"]
      startupProbe: { exec: { command: [grep, proxy, shared/log] }, periodSeconds: 1 }
      volumeMounts: [{ name: shared, mountPath: /app/shared }]
  containers:
    - name: web
      image: ${image}
      command: [sh, -c, "echo web >> shared/log; cat shared/log; exec node server.js"]
      ports: [{ name: http, containerPort: 8080 }]
      readinessProbe: { httpGet: { path: /fail, port: http }, periodSeconds: 1, failureThreshold: 1 }
      volumeMounts: [{ name: shared, mountPath: /app/shared }]
`;

describe("Given an image in the registry", { skip }, () => {
  let tidegate: Tidegate;
  let image: string;

  before(async () => {
    tidegate = await startTidegate();
    image = await pushImage(tidegate, "acme/web", "v1");
  });
  after(() => tidegate[Symbol.asyncDispose]());

  const kubectl = (args: readonly string[], options: { code?: number; input?: string } = {}): Promise<Finished> =>
    run("kubectl", args, { env: tidegate.env, ...options });
  const apply = (yaml: string): Promise<Finished> => kubectl(["apply", "-f", "-"], { input: yaml });
  const watch = (args: readonly string[]): Followed => follow("kubectl", args, { env: tidegate.env });
  const read = async (kind: string, name: string, path: string): Promise<string> =>
    (await kubectl(["get", kind, name, "-o", `jsonpath={${path}}`])).stdout;

  test("when a pod has init containers, a sidecar and a failing probe, then describe tells it all", async () => {
    await using events = watch(["get", "events", "--watch"]);
    await apply(initialised(image));
    await events.line(/Unhealthy .*Readiness probe failed: HTTP probe failed with statuscode: 500/);
    const { stdout: log } = await kubectl(["logs", "initialised", "--container", "web"]);
    assert.match(log, /^prepared\nproxy\nweb\n/);
    const { stdout: row } = await kubectl(["get", "pod", "initialised"]);
    assert.match(row, /initialised +1\/2 +Running +0 /);
    const { stdout } = await kubectl(["describe", "pod", "initialised"]);
    assert.match(stdout, /Init Containers:\n +prepare:\n[^]*Reason: +Completed[^]*proxy:[^]*Containers:\n +web:/);
    assert.match(
      stdout,
      /PodReadyToStartContainers +True *\n +Initialized +True *\n +Ready +False *\n +ContainersReady +False *\n +PodScheduled +True/,
    );
    for (const text of [
      "Successfully assigned default/initialised to local",
      "Created container: prepare",
      "Started container proxy",
      "Readiness probe failed: HTTP probe failed with statuscode: 500",
    ]) {
      assert.ok(stdout.includes(text), `"${text}" is not in:\n${stdout}`);
    }
    await kubectl(["delete", "pod", "initialised", "--wait", "--timeout=30s"]);
  });

  test("when a pod fits nowhere, then it says so, and is placed when the node changes", async () => {
    const overrides = JSON.stringify({ spec: { nodeSelector: { disk: "ssd" } } });
    const command = ["run", "picky", `--image=${image}`, "--restart=Never", `--overrides=${overrides}`];
    await using events = watch(["get", "events", "--watch"]);
    await kubectl(command);
    await events.line(
      /FailedScheduling .*0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector/,
    );
    await kubectl(["label", "node", "local", "disk=ssd"]);
    await kubectl(["wait", "--for=condition=Ready", "pod/picky", "--timeout=30s"]);
    await kubectl(["delete", "pod", "picky", "--grace-period=1"]);
  });

  test("when a pod asks the API with its account's token, then roles say what it may see", async () => {
    await apply(askerPod(image));
    await kubectl(["wait", "--for=condition=Ready", "pod/asker", "--timeout=30s"]);
    await using log = watch(["logs", "asker", "--follow"]);
    await log.line(/^answered 403$/);
    await kubectl(["create", "rolebinding", "asker", "--clusterrole=view", "--serviceaccount=default:default"]);
    await log.line(/^answered 200$/);
    await kubectl(["delete", "pod/asker", "rolebinding/asker"]);
  });

  test("when pods work hard, then top shows it and the autoscaler adds some; when they rest, it takes them away", async () => {
    await kubectl(["create", "configmap", "load", "--from-literal=milli=150"]);
    await apply(workers(image));
    await kubectl(["rollout", "status", "deployment/worker", "--timeout=60s"]);
    await kubectl(["autoscale", "deployment", "worker", "--cpu-percent=50", "--min=1", "--max=3"]);
    const quick = { spec: { behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } } };
    await kubectl(["patch", "hpa", "worker", "--type=merge", "-p", JSON.stringify(quick)]);

    await kubectl(["wait", "hpa/worker", "--for=jsonpath={.status.currentReplicas}=3", "--timeout=120s"]);

    const { stdout: top } = await kubectl(["top", "pod", "--containers", "-l", "app=worker"]);
    assert.match(top, /^POD +NAME +CPU\(cores\) +MEMORY\(bytes\) *\nworker-\S+ +worker +\d+m +\d+Mi/);
    assert.match((await kubectl(["top", "node"])).stdout, /\nlocal +\d+m +\d+% +\d+Mi +\d+%/);
    const { stdout: described } = await kubectl(["describe", "hpa", "worker"]);
    assert.match(
      described,
      /ScalingActive +True +ValidMetricFound +the HPA was able to successfully calculate a replica count from cpu resource utilization/,
    );
    assert.match(
      described,
      /SuccessfulRescale +.*New size: [23]; reason: cpu resource utilization \(percentage of request\) above target/,
    );

    await kubectl(["patch", "configmap", "load", "--type=merge", "-p", '{"data":{"milli":"0"}}']);
    await kubectl(["wait", "hpa/worker", "--for=jsonpath={.status.currentReplicas}=1", "--timeout=120s"]);
    assert.match((await kubectl(["describe", "hpa", "worker"])).stdout, /reason: All metrics below target/);
    await kubectl(["delete", "deployment/worker", "hpa/worker"]);
  });

  test("when the node is drained, then the budget holds the last pod until it is let go", async () => {
    await apply(guarded(image));
    await kubectl(["rollout", "status", "deployment/guarded", "--timeout=60s"]);
    await kubectl(["wait", "pdb/guarded", "--for=jsonpath={.status.disruptionsAllowed}=1", "--timeout=20s"]);
    await using events = watch(["get", "events", "--watch"]);
    const drain = kubectl(["drain", "local", "--pod-selector=app=guarded", "--timeout=60s"]);
    await events.line(/FailedScheduling .*0\/1 nodes are available: 1 node\(s\) were unschedulable/);
    await kubectl(["wait", "pdb/guarded", "--for=jsonpath={.status.disruptionsAllowed}=0", "--timeout=20s"]);
    assert.equal(await read("pdb", "guarded", ".status.currentHealthy"), "1");
    const pods = await kubectl([
      "get",
      "pods",
      "-l",
      "app=guarded",
      "--field-selector=spec.nodeName=local",
      "-o",
      "name",
    ]);
    const eviction = {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name: pods.stdout.trim().replace("pod/", ""), namespace: "default" },
    };
    const path = `/api/v1/namespaces/default/pods/${eviction.metadata.name}/eviction`;
    const refused = await kubectl(["create", "--raw", path, "-f", "-"], { input: JSON.stringify(eviction), code: 1 });
    assert.match(refused.stderr, /Cannot evict pod as it would violate the pod's disruption budget/);

    await kubectl(["patch", "pdb", "guarded", "--type=merge", "-p", '{"spec":{"minAvailable":0}}']);

    const { stdout, stderr } = await drain;
    assert.match(stdout, /node\/local drained/);
    assert.match(stderr, /will retry after 5s.*Cannot evict pod as it would violate the pod's disruption budget/);
    await kubectl(["uncordon", "local"]);
    await kubectl(["rollout", "status", "deployment/guarded", "--timeout=60s"]);
  });
});
