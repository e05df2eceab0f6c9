/** Story: what runs is what git says, and who changes it elsewhere finds it changed back. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ApplicationDetail, ResourceDiff } from "#api";
import { application, deployment, service } from "../support/manifests.ts";
import { skipWithout } from "../support/needs.ts";
import { type Finished, run } from "../support/run-command.ts";
import { pushImage } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { keepCustomers, untilAnswer } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

const skip = skipWithout("skopeo") || skipWithout("kubectl", ["version", "--client"]);
const host = "web.team.localhost";

const kustomization = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - web.yaml
  - service.yaml
  - extra.yaml
`;

const extra = `apiVersion: v1
kind: ConfigMap
metadata: { name: extra }
data: { colour: blue }
`;

describe("Given an environments repository and an Application that follows it", { skip }, () => {
  let tidegate: Tidegate;
  let work: WorkCopy;
  let v1: string;
  let v2: string;

  before(async () => {
    tidegate = await startTidegate();
    v1 = await pushImage(tidegate, "acme/web", "v1");
    v2 = await pushImage(tidegate, "acme/web", "v2");
    work = await newRepository(tidegate, "acme/environments");
    await work.push("Version 1", {
      "team/kustomization.yaml": kustomization,
      "team/web.yaml": deployment("web", v1, 2),
      "team/service.yaml": service("web"),
      "team/extra.yaml": extra,
    });
  });
  after(() => tidegate[Symbol.asyncDispose]());

  const kubectl = (args: readonly string[]): Promise<Finished> =>
    run("kubectl", ["--namespace=team", ...args], { env: tidegate.env });
  const follow = async (syncPolicy: string): Promise<void> => {
    const repoURL = `${tidegate.url}/acme/environments`;
    const manifest = application({ name: "web", repoURL, path: "team", namespace: "team", syncPolicy });
    await run("kubectl", ["apply", "-f", "-"], { env: tidegate.env, input: manifest });
  };
  const untilApplication = (
    what: string,
    accept: (detail: ApplicationDetail) => boolean | Promise<boolean>,
  ): Promise<ApplicationDetail> =>
    until(tidegate, what, async () => {
      const detail = await tidegate.api<ApplicationDetail>("/applications/argocd/web");
      if (await accept(detail)) return detail;
      throw new Error(`The application is ${JSON.stringify({ ...detail, tree: undefined })}`);
    });
  const synced = (sha: string): Promise<ApplicationDetail> =>
    untilApplication(`sync to ${sha}`, (it) => it.sync === "Synced" && it.revision === sha && it.health === "Healthy");

  test("when nothing syncs by itself, then the difference is shown and the command exits 1", async () => {
    await follow("{ syncOptions: [CreateNamespace=true] }");
    await untilApplication("OutOfSync", ({ sync }) => sync === "OutOfSync");
    const { stdout } = await tidegate.cli(["apps", "diff", "web"], 1);
    assert.match(stdout, /^--- Deployment team\/web \(create\)$/m);
    const json = JSON.parse((await tidegate.cli(["apps", "diff", "web", "--json"], 1)).stdout) as ResourceDiff[];
    assert.deepEqual(json.map(({ kind }) => kind).sort(), ["ConfigMap", "Deployment", "Service"]);
    assert.match((await kubectl(["get", "deployments"])).stderr, /No resources found/);
  });

  test("when it is only asked what would happen, then nothing happens", async () => {
    const { stdout } = await tidegate.cli(["sync", "web", "--dry-run"]);
    assert.match(stdout, /^Succeeded/);
    assert.match((await kubectl(["get", "deployments"])).stderr, /No resources found/);
  });

  test("when it is synced by hand, then it runs, and the difference is gone", async () => {
    const { stdout } = await tidegate.cli(["sync", "web"]);
    assert.match(stdout, /^Succeeded successfully synced/);
    assert.equal((await untilAnswer(tidegate, host, ({ status }) => status === 200)).body, "v1\n");
    await untilApplication("health", ({ health }) => health === "Healthy");
    assert.equal((await tidegate.cli(["apps", "diff", "web"])).stdout, "");
    assert.match((await tidegate.cli(["apps"])).stdout, /^web +Synced +Healthy +[\da-f]{7} +team +manual /m);
  });

  test("when git moves on, then it waits for the next sync; the history has both, and goes back", async () => {
    const first = (await work.git(["rev-parse", "HEAD"])).stdout.trim();
    const { sha } = await work.push("Version 2", { "team/web.yaml": deployment("web", v2, 2) });
    await untilApplication("OutOfSync", ({ sync, revision }) => sync === "OutOfSync" && revision === sha);
    assert.match((await tidegate.cli(["apps", "diff", "web"], 1)).stdout, /^\+ .*image: .*acme\/web:v2$/m);
    await tidegate.cli(["sync", "web"]);
    await untilAnswer(tidegate, host, ({ body }) => body === "v2\n");
    const { history } = await untilApplication("health", ({ health }) => health === "Healthy");
    assert.deepEqual(
      history.map(({ revision }) => revision),
      [first, sha],
    );
    await using customers = keepCustomers(tidegate, host);
    await tidegate.cli(["apps", "rollback", "web", "--id", String(history[0]?.id)]);
    await untilAnswer(tidegate, host, ({ body }) => body === "v1\n");
    await untilApplication(
      "health",
      ({ health, operationPhase }) => health === "Healthy" && operationPhase === "Succeeded",
    );
    assert.equal(customers.failed(), 0);
    const { stderr } = await tidegate.cli(["apps", "rollback", "web", "--id", "77"], 1);
    assert.match(stderr, /77/);
  });

  test("when it syncs by itself, then a push is live without another word, and a rollback is refused", async () => {
    await follow("{ automated: { prune: true, selfHeal: true }, syncOptions: [CreateNamespace=true] }");
    await synced((await work.git(["rev-parse", "HEAD"])).stdout.trim());
    const { sha } = await work.push("Version 1 again", { "team/web.yaml": deployment("web", v1, 2) });
    await synced(sha);
    await untilAnswer(tidegate, host, ({ body }) => body === "v1\n");
    const { stderr } = await tidegate.cli(["apps", "rollback", "web", "--id", "0"], 1);
    assert.match(stderr, /auto-sync|automated/i);
  });

  test("when somebody deletes, scales or edits what is managed, then it is as git says again", async () => {
    const uid = async (): Promise<string> =>
      (await kubectl(["get", "service", "web", "-o", "jsonpath={.metadata.uid}"])).stdout;
    const old = await uid();
    await kubectl(["delete", "service", "web"]);
    await untilApplication("the service again", async ({ sync }) => sync === "Synced" && (await uid()) !== old);
    await kubectl(["scale", "deployment/web", "--replicas=0"]);
    await kubectl(["wait", "--for=jsonpath={.spec.replicas}=2", "deployment/web", "--timeout=30s"]);
    await kubectl(["patch", "configmap", "extra", "--type=merge", "-p", '{"data":{"colour":"red"}}']);
    await kubectl(["wait", "--for=jsonpath={.data.colour}=blue", "configmap/extra", "--timeout=60s"]);
    await untilApplication("health", ({ sync, health }) => sync === "Synced" && health === "Healthy");
    await untilAnswer(tidegate, host, ({ body }) => body === "v1\n");
    const { history } = await tidegate.api<ApplicationDetail>("/applications/argocd/web");
    assert.equal(history.at(-1)?.revision, (await work.git(["rev-parse", "HEAD"])).stdout.trim());
  });

  test("when a file goes from git, then its object goes from the cluster and the rest stays", async () => {
    const { sha } = await work.push("Without extra", {
      "team/extra.yaml": "",
      "team/kustomization.yaml": kustomization.replace("  - extra.yaml\n", ""),
    });
    await synced(sha);
    // What every namespace has, and nothing of ours.
    assert.equal((await kubectl(["get", "configmaps", "-o", "name"])).stdout, "configmap/kube-root-ca.crt\n");
    const { tree } = await tidegate.api<ApplicationDetail>("/applications/argocd/web");
    const roots = tree.filter(({ parentUid }) => parentUid === undefined).map(({ kind }) => kind);
    assert.deepEqual(roots.sort(), ["Deployment", "Service"]);
  });

  test("when the Application is unknown, then the command says so", async () => {
    assert.match((await tidegate.cli(["sync", "nothing"], 1)).stderr, /There is no application "argocd\/nothing"/);
  });
});
