/** Story: a platform engineer looks after what runs with the kubectl on the machine. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Deployment, Pod } from "#api";
import { application, deployment, rolloutWithService, service } from "../support/manifests.ts";
import { skipWithout } from "../support/needs.ts";
import { type Followed, type Finished, follow, run } from "../support/run-command.ts";
import { pushImage } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { countBodies, keepCustomers, untilAnswer, visit } from "../support/traffic.ts";
import { newRepository } from "../support/work-copy.ts";

const skip = skipWithout("skopeo") || skipWithout("kubectl", ["version", "--client"]);

describe("Given the kubeconfig that `tidegate up` wrote and images in the registry", { skip }, () => {
  let tidegate: Tidegate;
  let v1: string;
  let v2: string;

  before(async () => {
    tidegate = await startTidegate();
    v1 = await pushImage(tidegate, "acme/web", "v1");
    v2 = await pushImage(tidegate, "acme/web", "v2");
  });
  after(() => tidegate[Symbol.asyncDispose]());

  const kubectl = (args: readonly string[], options: { code?: number; input?: string } = {}): Promise<Finished> =>
    run("kubectl", args, { env: tidegate.env, ...options });
  const apply = (yaml: string, code = 0): Promise<Finished> => kubectl(["apply", "-f", "-"], { input: yaml, code });
  const watch = (args: readonly string[]): Followed => follow("kubectl", args, { env: tidegate.env });
  const read = async <T>(args: readonly string[]): Promise<T> =>
    JSON.parse((await kubectl(["get", ...args, "-o", "json"])).stdout) as T;

  /** Rolled out, and the pods from before gone: until then requests on their way may still reach them. */
  const replaced = async (act: () => Promise<unknown>): Promise<void> => {
    const before = (await kubectl(["get", "pods", "-l", "app=web", "-o", "name"])).stdout.trim().split("\n");
    await act();
    await kubectl(["rollout", "status", "deployment/web", "--timeout=60s"]);
    await kubectl(["wait", "--for=delete", ...before, "--timeout=30s"]);
  };

  test("when a Deployment and a Service are applied, then they run and answer, and get -w saw it happen", async () => {
    await using pods = watch(["get", "pods", "--watch"]);
    const { stdout } = await apply(`${deployment("web", v1, 2)}---\n${service("web")}`);
    assert.equal(stdout, "deployment.apps/web created\nservice/web created\n");
    const status = await kubectl(["rollout", "status", "deployment/web", "--timeout=60s"]);
    assert.match(status.stdout, /successfully rolled out/);
    await kubectl(["wait", "--for=condition=Available", "deployment/web", "--timeout=10s"]);
    assert.match(await pods.line(/^web-\S+\s+1\/1\s+Running/), /^web-/);
    const answer = await untilAnswer(tidegate, "web.default.localhost", ({ status }) => status === 200);
    assert.equal(answer.body, "v1\n");
    const { stdout: table } = await kubectl(["get", "deployment", "web"]);
    assert.match(table, /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 +\S+\n$/);
  });

  test("when it is looked at, then yaml, wide, jsonpath, selectors and describe show it as kubectl users know it", async () => {
    const { stdout: yaml } = await kubectl(["get", "deployment", "web", "-o", "yaml"]);
    assert.match(yaml, /^apiVersion: apps\/v1\nkind: Deployment\n/);
    assert.match(yaml, /kubectl.kubernetes.io\/last-applied-configuration/);
    const { stdout: wide } = await kubectl(["get", "pods", "-o", "wide", "-l", "app=web"]);
    assert.match(wide, /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE/);
    assert.equal(wide.trim().split("\n").length, 3);
    const path = "jsonpath={.spec.template.spec.containers[0].image}";
    assert.equal((await kubectl(["get", "deployment", "web", "-o", path])).stdout, v1);
    const { stdout: described } = await kubectl(["describe", "deployment", "web"]);
    assert.match(described, /Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable/);
    assert.match(described, /Normal +ScalingReplicaSet .*Scaled up replica set web-\w+ (from 0 )?to 2/);
    const { stdout: pod } = await kubectl(["describe", "pods", "-l", "app=web"]);
    assert.match(pod, /Readiness: +http-get http:\/\/:http\/ready delay=0s/);
    assert.match(pod, /Normal +Started +.*Started container web/);
    const { stdout: endpoints } = await kubectl(["describe", "service", "web"]);
    assert.match(endpoints, /Endpoints: +\S+:\d+,\S+:\d+/);
  });

  test("when requests are served, then logs and logs -f show them", async () => {
    const [pod] = (await read<{ items: Pod[] }>(["pods", "-l", "app=web"])).items;
    const name = pod?.metadata.name ?? "";
    await using log = watch(["logs", "--follow", name]);
    await log.line(/^v1 listens$/);
    for (let sent = 0; sent < 4; sent++) await visit(tidegate, "web.default.localhost", "/seen-by-follow");
    await log.line(/^GET \/seen-by-follow$/);
    const { stdout } = await kubectl(["logs", "deployment/web", "--all-pods=true", "--tail=-1"]);
    assert.equal(stdout.match(/GET \/seen-by-follow/g)?.length, 4);
    const { stdout: last } = await kubectl(["logs", name, "--tail=1", "--timestamps"]);
    assert.match(last, /^\d{4}-\d\d-\d\dT[\d:.]+Z GET /);
  });

  test("when it is scaled and given another image, then it rolls over without a failed request, and back", async () => {
    assert.match((await kubectl(["scale", "deployment/web", "--replicas=3"])).stdout, /deployment.apps\/web scaled/);
    await kubectl(["rollout", "status", "deployment/web", "--timeout=60s"]);
    assert.equal((await read<Deployment>(["deployment", "web"])).status?.readyReplicas, 3);
    await using customers = keepCustomers(tidegate, "web.default.localhost");
    await replaced(() => kubectl(["set", "image", "deployment/web", `web=${v2}`]));
    assert.deepEqual(await countBodies(tidegate, "web.default.localhost", 30), { v2: 30 });
    assert.match((await kubectl(["rollout", "history", "deployment/web"])).stdout, /REVISION .*\n1 .*\n2 /);
    await replaced(() => kubectl(["rollout", "undo", "deployment/web"]));
    assert.deepEqual(await countBodies(tidegate, "web.default.localhost", 30), { v1: 30 });
    assert.deepEqual([customers.failed(), customers.answers.length > 30], [0, true]);
  });

  test("when it is edited by patch, labelled and annotated, then apply merges and diff shows what is left", async () => {
    await kubectl(["label", "deployment", "web", "team=blue"]);
    await kubectl(["annotate", "deployment", "web", "note=by hand"]);
    await kubectl(["patch", "deployment", "web", "--type=merge", "-p", '{"spec":{"minReadySeconds":1}}']);
    const diff = await kubectl(["diff", "-f", "-"], { input: deployment("web", v1, 1), code: 1 });
    assert.match(diff.stdout, /^-  replicas: 3\n\+  replicas: 1$/m);
    assert.match((await apply(deployment("web", v1, 1))).stdout, /configured/);
    const { metadata, spec } = await read<Deployment>(["deployment", "web"]);
    assert.deepEqual([metadata.labels?.["team"], metadata.annotations?.["note"]], ["blue", "by hand"]);
    assert.equal(spec.replicas, 1);
    assert.match((await apply(deployment("web", v1, 1))).stdout, /unchanged/);
  });

  test("when what is applied is wrong, then kubectl says which field and why, and nothing changes", async () => {
    const before = await read<Deployment>(["deployment", "web"]);
    const typo = deployment("web", v1).replace("replicas:", "replica:");
    assert.match((await apply(typo, 1)).stderr, /unknown field "spec.replica"/);
    const selector = deployment("web", v1).replace("labels: { app: web }", "labels: { app: other }");
    assert.match((await apply(selector, 1)).stderr, /spec.template.metadata.labels: Invalid value/);
    const none = await kubectl(["get", "deployment", "nothing"], { code: 1 });
    assert.match(none.stderr, /Error from server \(NotFound\): deployments.apps "nothing" not found/);
    assert.deepEqual((await read<Deployment>(["deployment", "web"])).spec, before.spec);
  });

  test("when a pod dies or is deleted, then another takes its place", async () => {
    const [old] = (await read<{ items: Pod[] }>(["pods", "-l", "app=web"])).items;
    await kubectl(["delete", "pod", old?.metadata.name ?? "", "--wait=true"]);
    await kubectl(["rollout", "status", "deployment/web", "--timeout=60s"]);
    const [next] = (await read<{ items: Pod[] }>(["pods", "-l", "app=web"])).items;
    assert.notEqual(next?.metadata.name, old?.metadata.name);
    await untilAnswer(tidegate, "web.default.localhost", ({ status }) => status === 200);
  });

  test("when fields are explained, then the documentation of the fields comes, ours too", async () => {
    const { stdout } = await kubectl(["explain", "deployment.spec.strategy.rollingUpdate"]);
    assert.match(stdout, /KIND: +Deployment\n[\s\S]*maxSurge\s+<IntOrString>\n +How many pods there may be above/);
    const steps = await kubectl(["explain", "rollout.spec.strategy.canary.steps"]);
    assert.match(
      steps.stdout,
      /GROUP: +argoproj.io\nKIND: +Rollout\n[\s\S]*setWeight\s+<integer>\n +Percent of the requests/,
    );
    const affinity = await kubectl(["explain", "service.spec.sessionAffinity"]);
    assert.match(affinity.stdout, /DESCRIPTION:\n[\s\S]*without effect/);
    for (const kind of ["pod", "rollout", "application", "customresourcedefinition"]) {
      const whole = await kubectl(["explain", kind, "--recursive"]);
      assert.match(
        whole.stdout,
        /DESCRIPTION:\n +[A-Z][\s\S]*\n {4}ownerReferences\t<\[\]OwnerReference>\n {6}apiVersion/,
      );
      assert.doesNotMatch(whole.stdout, /<empty>|no description/);
    }
    const template = await kubectl(["explain", "rollout", "--recursive"]);
    assert.match(template.stdout, /\n {8}containers\t<\[\]Container> -required-\n/);
  });

  test("when a Rollout goes a step, then get -o wide, describe and its events tell so", async () => {
    const steps = "[{ setWeight: 50 }, { pause: {} }]";
    await apply(rolloutWithService({ name: "shop", image: v1, steps }));
    await kubectl(["wait", "--for=jsonpath={.status.phase}=Healthy", "rollout/shop", "--timeout=60s"]);
    await apply(rolloutWithService({ name: "shop", image: v2, steps }));
    await kubectl(["wait", "--for=jsonpath={.status.phase}=Paused", "rollout/shop", "--timeout=60s"]);
    const { stdout: wide } = await kubectl(["get", "rollout", "-o", "wide"]);
    assert.match(wide, /^NAME +DESIRED +CURRENT +UP-TO-DATE +AVAILABLE +AGE/);
    assert.match(wide, /^shop +1 +2 +1 +2 /m);
    const { stdout: described } = await kubectl(["describe", "rollout", "shop"]);
    assert.match(described, /Pause Conditions:[\s\S]*Reason: +CanaryPauseStep/);
    const events = described.slice(described.indexOf("Events:"));
    // Events of one second come in any order.
    for (const reason of ["RolloutUpdated", "RolloutStepCompleted", "TrafficWeightUpdated", "RolloutPaused"]) {
      assert.match(events, new RegExp(`Normal +${reason} `));
    }
    await kubectl(["delete", "rollout,service", "shop", "--wait=true"]);
    await kubectl(["wait", "--for=delete", "pod", "-l", "app=shop", "--timeout=30s"]);
  });

  test("when an AnalysisRun is created, then get and describe show its measurements and verdict", async () => {
    const { stdout } = await kubectl(["create", "-f", "-"], { input: analysisRun });
    assert.equal(stdout, "analysisrun.argoproj.io/by-hand created\n");
    await kubectl(["wait", "--for=jsonpath={.status.phase}=Successful", "analysisrun/by-hand", "--timeout=60s"]);
    assert.match((await kubectl(["get", "analysisruns"])).stdout, /^NAME +STATUS +AGE\nby-hand +Successful +\S+\n$/);
    const { stdout: described } = await kubectl(["describe", "analysisrun", "by-hand"]);
    assert.match(described, /Measurements:[\s\S]*Phase: +Successful[\s\S]*Value: +\[2\]/);
    assert.match(described, /Normal +AnalysisRunSuccessful/);
  });

  test("when an Application syncs, then get and describe show sync and health, and delete cascades", async () => {
    const work = await newRepository(tidegate, "acme/environments");
    await work.push("One", { "app/config.yaml": configMap });
    const repoURL = `${tidegate.url}/acme/environments`;
    const syncPolicy = "{ automated: {}, syncOptions: [CreateNamespace=true] }";
    const manifest = application({ name: "settings", repoURL, path: "app", namespace: "team", syncPolicy });
    const withFinalizer = manifest.replace(
      "namespace: argocd }",
      "namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io] }",
    );
    await apply(withFinalizer);
    const argo = ["-n", "argocd"];
    await kubectl([...argo, "wait", "--for=jsonpath={.status.sync.status}=Synced", "app/settings", "--timeout=60s"]);
    const { stdout } = await kubectl([...argo, "get", "applications"]);
    assert.match(stdout, /^NAME +SYNC STATUS +HEALTH STATUS.*\nsettings +Synced +Healthy /);
    const { stdout: described } = await kubectl([...argo, "describe", "application", "settings"]);
    assert.match(described, /Normal +OperationCompleted/);
    assert.equal((await kubectl(["-n", "team", "get", "cm", "settings", "-o", "jsonpath={.data.a}"])).stdout, "1");
    await kubectl([...argo, "delete", "application", "settings", "--wait=true", "--timeout=30s"]);
    await kubectl(["-n", "team", "get", "cm", "settings"], { code: 1 });
  });

  test("when all is deleted, then pods end gracefully and the router says that nobody answers", async () => {
    const [pod] = (await read<{ items: Pod[] }>(["pods", "-l", "app=web"])).items;
    await using log = watch(["logs", "--follow", pod?.metadata.name ?? ""]);
    await log.line(/^v1 listens$/);
    await kubectl(["delete", "deployment,service", "web", "--cascade=foreground", "--wait=true", "--timeout=30s"]);
    await log.line(/^v1 stops$/);
    assert.equal(await log.ended(), 0);
    await untilAnswer(tidegate, "web.default.localhost", ({ status }) => status === 404 || status === 503);
  });
});

const analysisRun = `
apiVersion: argoproj.io/v1alpha1
kind: AnalysisRun
metadata: { name: by-hand }
spec:
  metrics:
    - name: two
      count: 2
      interval: 1s
      successCondition: result[0] == 2
      provider: { prometheus: { query: "vector(2)" } }
`;

const configMap = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { a: "1" }
`;
