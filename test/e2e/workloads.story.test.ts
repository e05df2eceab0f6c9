/** Story: a team runs its database, its agent and its nightly work beside its shop, with the kubectl it knows. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Job, PersistentVolumeClaim, Pod, StatefulSet } from "#api";
import { deployment, service } from "../support/manifests.ts";
import { skipWithout } from "../support/needs.ts";
import { type Finished, run } from "../support/run-command.ts";
import { pushImage } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { untilAnswer, visit } from "../support/traffic.ts";

const skip = skipWithout("skopeo") || skipWithout("kubectl", ["version", "--client"]);

describe("Given a cluster and images in the registry", { skip }, () => {
  let tidegate: Tidegate;
  let v1: string;
  let v2: string;

  before(async () => {
    tidegate = await startTidegate();
    v1 = await pushImage(tidegate, "acme/web", "v1");
    v2 = await pushImage(tidegate, "acme/web", "v2");
  });
  after(() => tidegate[Symbol.asyncDispose]());

  const kubectl = (...args: string[]): Promise<Finished> => run("kubectl", args, { env: tidegate.env });
  const apply = (input: string): Promise<Finished> =>
    run("kubectl", ["apply", "-f", "-"], { env: tidegate.env, input });
  const rolledOut = (what: string): Promise<Finished> => kubectl("rollout", "status", what, "--timeout=60s");
  const read = async <T>(...args: string[]): Promise<T> =>
    JSON.parse((await kubectl("get", ...args, "-o", "json")).stdout) as T;
  const names = async (...args: string[]): Promise<string[]> =>
    (await kubectl("get", ...args, "-o", "name")).stdout
      .trim()
      .split("\n")
      .filter((line) => line !== "");

  const template = (name: string, image: string, more = ""): string => `
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - name: ${name}
          image: ${image}
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /ready, port: http }, periodSeconds: 1 }
${more}`;
  const database = (image: string): string => `apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: db }, ports: [{ name: http, port: 80, targetPort: http }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 2
  selector: { matchLabels: { app: db } }
  template:${template("db", image, "          volumeMounts: [{ name: data, mountPath: /data }]")}
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 64Mi } } }
`;

  test("when a StatefulSet is applied, then its pods have names, volumes and an order, and are reached by name", async () => {
    await apply(database(v1));
    await rolledOut("statefulset/db");
    assert.deepEqual(await names("pods", "-l", "app=db"), ["pod/db-0", "pod/db-1"]);
    const { items: claims } = await read<{ items: PersistentVolumeClaim[] }>("pvc");
    assert.deepEqual(
      claims.map(({ metadata, status }) => [metadata.name, status?.phase, status?.capacity?.["storage"]]),
      [
        ["data-db-0", "Bound", "64Mi"],
        ["data-db-1", "Bound", "64Mi"],
      ],
    );
    const { items: pods } = await read<{ items: Pod[] }>("pods", "-l", "app=db");
    const [first, second] = pods.map(({ metadata }) => metadata.creationTimestamp ?? "");
    assert.ok((first ?? "") <= (second ?? ""), "db-0 was there before db-1");
    await untilAnswer(tidegate, "db-1.db.default.localhost", ({ status }) => status === 200);
    assert.equal((await visit(tidegate, "db-7.db.default.localhost")).status, 404);
  });

  test("when its image changes, then it is updated from the last, can be held by a partition, and goes back", async () => {
    await kubectl(
      "patch",
      "statefulset",
      "db",
      "--patch",
      '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":1}}}}',
    );
    await kubectl("set", "image", "statefulset/db", `db=${v2}`);
    await rolledOut("statefulset/db");
    const images = async (): Promise<(string | undefined)[]> =>
      (await read<{ items: Pod[] }>("pods", "-l", "app=db")).items.map(({ spec }) => spec.containers[0]?.image);
    assert.deepEqual(await images(), [v1, v2]);
    await kubectl(
      "patch",
      "statefulset",
      "db",
      "--patch",
      '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}',
    );
    await rolledOut("statefulset/db");
    assert.deepEqual(await images(), [v2, v2]);
    const { status } = await read<StatefulSet>("statefulset", "db");
    assert.equal(status?.currentRevision, status?.updateRevision);

    assert.match((await kubectl("rollout", "history", "statefulset/db")).stdout, /^1 +<none>\n2 +<none>$/m);
    await kubectl("rollout", "undo", "statefulset/db", "--to-revision=1");
    await rolledOut("statefulset/db");
    assert.deepEqual(await images(), [v1, v1]);
    await kubectl("rollout", "restart", "statefulset/db");
    await rolledOut("statefulset/db");
  });

  test("when it is scaled down and deleted, then its claims stay until they are deleted", async () => {
    await kubectl("scale", "statefulset", "db", "--replicas=1");
    await kubectl("wait", "--for=delete", "pod/db-1", "--timeout=30s");
    await kubectl("delete", "statefulset", "db", "--cascade=foreground");
    assert.equal((await names("pvc")).length, 2);
    await kubectl("delete", "pvc", "--all");
    await kubectl("wait", "--for=delete", "pv", "--all", "--timeout=30s");
    assert.deepEqual(await names("pv"), []);
  });

  test("when a DaemonSet is applied, then the node has one pod of it, which is updated and rolled back", async () => {
    const agent = `apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent }
spec:
  selector: { matchLabels: { app: agent } }
  updateStrategy: { type: RollingUpdate, rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  template:${template("agent", v1)}`;
    await apply(agent);
    await rolledOut("daemonset/agent");
    assert.match((await kubectl("get", "daemonset", "agent")).stdout, /agent +1 +1 +1 +1 +1 +<none>/);
    await kubectl("set", "image", "daemonset/agent", `agent=${v2}`);
    await rolledOut("daemonset/agent");
    await kubectl("rollout", "undo", "daemonset/agent");
    await rolledOut("daemonset/agent");
    const { items } = await read<{ items: Pod[] }>("pods", "-l", "app=agent");
    const staying = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    assert.deepEqual(
      staying.map(({ spec }) => spec.containers[0]?.image),
      [v1],
    );
    assert.match((await kubectl("rollout", "history", "daemonset/agent")).stdout, /^2 .*\n3 /m);
  });

  const job = (name: string, script: string, spec = ""): string => `apiVersion: batch/v1
kind: Job
metadata: { name: ${name} }
spec:
${spec}
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: work, image: "${v1}", command: [sh, -c, ${JSON.stringify(script)}] }]
`;

  test("when Jobs are run, then good ones complete, each index once, and bad ones fail with their reason", async () => {
    await apply(
      job(
        "squares",
        'echo "$((JOB_COMPLETION_INDEX * JOB_COMPLETION_INDEX))"',
        "  completions: 4\n  parallelism: 2\n  completionMode: Indexed",
      ),
    );
    await kubectl("wait", "--for=condition=Complete", "job/squares", "--timeout=60s");
    const { stdout: logs } = await kubectl("logs", "-l", "job-name=squares", "--tail=-1");
    assert.deepEqual(logs.trim().split("\n").sort(), ["0", "1", "4", "9"]);
    const { status } = await read<Job>("job", "squares");
    assert.deepEqual([status?.succeeded, status?.completedIndexes], [4, "0-3"]);

    await apply(job("broken", "exit 3", "  backoffLimit: 0\n  ttlSecondsAfterFinished: 600"));
    await kubectl("wait", "--for=condition=Failed", "job/broken", "--timeout=60s");
    const { stdout: described } = await kubectl("describe", "job", "broken");
    assert.match(described, /Warning +BackoffLimitExceeded .*Job has reached the specified backoff limit/);
    assert.match((await kubectl("get", "jobs")).stdout, /broken +Failed +0\/1/);
    await kubectl("delete", "job", "squares", "broken");
    await kubectl("wait", "--for=delete", "pod", "-l", "job-name=squares", "--timeout=30s");
  });

  test("when a Job is suspended, then it waits, and goes on when it may", async () => {
    await apply(job("later", "true", "  suspend: true"));
    await kubectl("wait", "--for=condition=Suspended", "job/later", "--timeout=30s");
    assert.deepEqual(await names("pods", "-l", "job-name=later"), []);
    await kubectl("patch", "job", "later", "--patch", '{"spec":{"suspend":false}}');
    await kubectl("wait", "--for=condition=Complete", "job/later", "--timeout=60s");
  });

  test("when a CronJob is created, then it can be run at once by hand, and a schedule that is none is refused", async () => {
    await kubectl(
      "create",
      "cronjob",
      "nightly",
      `--image=${v1}`,
      "--schedule=0 3 * * *",
      "--",
      "sh",
      "-c",
      "echo tidied",
    );
    await kubectl("create", "job", "now", "--from=cronjob/nightly");
    await kubectl("wait", "--for=condition=Complete", "job/now", "--timeout=60s");
    assert.equal((await kubectl("logs", "job/now")).stdout, "tidied\n");
    assert.match((await kubectl("get", "cronjob", "nightly")).stdout, /nightly +0 3 \* \* \* +<none> +False +0 /);
    const wrong = ["create", "cronjob", "never", `--image=${v1}`, "--schedule=0 25 * * *"];
    const { stderr } = await run("kubectl", wrong, { env: tidegate.env, code: 1 });
    assert.match(stderr, /spec\.schedule: Invalid value/);
    await kubectl("delete", "cronjob", "nightly");
    await kubectl("wait", "--for=delete", "job/now", "--timeout=30s");
  });

  test("when the node is drained, then its pods leave, new ones wait, and come back when it takes pods again", async () => {
    await apply(`${deployment("web", v1, 2)}---\n${service("web")}`);
    await rolledOut("deployment/web");
    const drained = await kubectl(
      "drain",
      "local",
      "--ignore-daemonsets",
      "--delete-emptydir-data",
      "--force",
      "--timeout=60s",
    );
    assert.match(drained.stdout, /node\/local drained/);
    assert.match((await kubectl("get", "nodes")).stdout, /local +Ready,SchedulingDisabled/);
    const { items } = await read<{ items: Pod[] }>("pods", "-l", "app=web");
    assert.deepEqual([...new Set(items.map(({ status }) => status?.phase))], ["Pending"]);
    const why = items[0]?.status?.conditions?.find(({ type }) => type === "PodScheduled");
    assert.match(why?.message ?? "", /^0\/1 nodes are available: 1 node\(s\) were unschedulable/);
    await kubectl("uncordon", "local");
    await rolledOut("deployment/web");
    await untilAnswer(tidegate, "web.default.localhost", ({ status }) => status === 200);
  });

  test("when Services are of other kinds, then they say where they are reached, and hand-written endpoints are served", async () => {
    await kubectl(
      "expose",
      "deployment",
      "web",
      "--name=front",
      "--port=80",
      "--target-port=http",
      "--type=LoadBalancer",
    );
    await kubectl(
      "wait",
      "--for=jsonpath={.status.loadBalancer.ingress[0].hostname}=front.default.localhost",
      "service/front",
    );
    await untilAnswer(tidegate, "front.default.localhost", ({ status }) => status === 200);
    const [pod] = (await read<{ items: Pod[] }>("pods", "-l", "app=web")).items;
    const map = JSON.parse(pod?.metadata.annotations?.["tidegate.dev/port-map"] ?? "{}") as Record<string, number>;
    await apply(`apiVersion: v1
kind: Service
metadata: { name: outside }
spec: { ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Endpoints
metadata: { name: outside }
subsets: [{ addresses: [{ ip: 127.0.0.1 }], ports: [{ port: ${map["8080"]} }] }]
`);
    await untilAnswer(tidegate, "outside.default.localhost", ({ status }) => status === 200);
    const { stdout } = await kubectl("get", "endpoints", "web");
    assert.match(stdout, /web +127\.0\.0\.1:\d+,127\.0\.0\.1:\d+/);
    const { stdout: lease } = await kubectl(
      "get",
      "lease",
      "local",
      "-n",
      "kube-node-lease",
      "-o",
      "jsonpath={.spec.holderIdentity}",
    );
    assert.equal(lease, "local");
  });
});
