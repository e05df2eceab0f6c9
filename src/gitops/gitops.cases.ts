/** What the controller of applications does on a cluster, whichever it is, with a repository in memory. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  applications,
  configMaps,
  deployments,
  events,
  namespaces,
  rollouts,
  services,
  type Application,
  type KubeObject,
  type ResourceType,
} from "#api";
import { Informers } from "#controller";
import type { Cluster } from "#kube";
import { silentLog, systemClock, systemIds } from "#lib";
import { createGitops, type Gitops } from "./index.ts";
import { SourceFake } from "./testing.ts";

const url = "https://git.example.com/shop/environments";
const key = { namespace: "argocd", name: "shop" };
/** Of one case. */
let deadline: AbortSignal;

/** A fresh cluster, which the stack ends. */
export type OpenCluster = (stack: AsyncDisposableStack) => Promise<Cluster>;

let cluster: Cluster;
let source: SourceFake;
let gitops: Gitops;
let stop: AbortController;
let running: Promise<void>;
let parts: AsyncDisposableStack;

function start(): void {
  const informers = parts.use(new Informers({ cluster, clock: systemClock, log: silentLog }));
  gitops = createGitops({ cluster, informers, source, clock: systemClock, ids: systemIds, log: silentLog });
  stop = new AbortController();
  running = gitops.run(stop.signal);
}

function configMap(name: string, data: Record<string, string>, annotations: Record<string, string> = {}): string {
  return JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, annotations }, data });
}

async function createApplication(syncPolicy: Application["spec"]["syncPolicy"], path = "app"): Promise<void> {
  const application: Application = {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: { ...key },
    spec: {
      source: { repoURL: url, path, targetRevision: "main" },
      destination: { server: "https://kubernetes.default.svc", namespace: "shop" },
      ...(syncPolicy && { syncPolicy }),
    },
  };
  await cluster.create(applications, application, { signal: deadline });
}

const automated = {
  automated: { prune: true, selfHeal: true },
  syncOptions: ["CreateNamespace=true", "PruneLast=true"],
};

/** Waits on watch events until the object is as wanted. */
async function until<T extends KubeObject>(
  type: ResourceType<T>,
  place: { namespace?: string; name: string },
  wanted: (object: T | undefined) => boolean,
): Promise<T | undefined> {
  const { resourceVersion } = await cluster.list(type, { signal: deadline });
  let object = await cluster.get(type, place, { signal: deadline });
  if (wanted(object)) return object;
  for await (const event of cluster.watch(type, { resourceVersion, signal: deadline })) {
    if (event.type === "BOOKMARK" || event.object.metadata.name !== place.name) continue;
    object = event.type === "DELETED" ? undefined : event.object;
    if (wanted(object)) return object;
  }
  throw new Error(`${type.kind} "${place.name}" never got as wanted: ${JSON.stringify(object, undefined, 1)}`);
}

function untilApplication(
  wanted: (status: NonNullable<Application["status"]>) => boolean,
): Promise<Application | undefined> {
  return until(applications, key, (application) => application?.status !== undefined && wanted(application.status));
}

function syncedAt(revision: string) {
  return ({ sync, operationState }: NonNullable<Application["status"]>): boolean =>
    sync?.status === "Synced" && sync.revision === revision && operationState?.phase === "Succeeded";
}

function push(files: Record<string, string>): string {
  const sha = source.commit(files);
  gitops.notifyPush(url, "refs/heads/main", sha);
  return sha;
}

const setting = { namespace: "shop", name: "settings" };

/** A hook and a Deployment in the wave before the rest: nobody reports on the Deployment, so the sync waits for it. */
const inWaves = {
  "app/hook.yaml": configMap("before", {}, { "argocd.argoproj.io/hook": "PreSync" }),
  "app/db.yaml": JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "db", annotations: { "argocd.argoproj.io/sync-wave": "-1" } },
    spec: {
      replicas: 1,
      selector: { matchLabels: { a: "b" } },
      template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  }),
  "app/rest.yaml": configMap("after", {}),
};

const badRollout = `apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: web
spec:
  selector:
    matchLabels: { app: web }
  template:
    metadata:
      labels: { app: web }
    spec: { containers: [{ name: web, image: web }] }
  strategy:
    canary:
      steps:
        - setWeight: 10
        - setWeight: 150
`;

async function exists(name: string): Promise<boolean> {
  return (await cluster.get(configMaps, { namespace: "shop", name }, { signal: deadline })) !== undefined;
}

async function untilWaiting(): Promise<void> {
  const waiting = 'waiting for healthy state of Deployment "db"';
  await untilApplication(({ operationState }) => operationState?.message === waiting);
}

async function reportReady(): Promise<void> {
  const status = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
  const options = { signal: deadline, subresource: "status" } as const;
  await cluster.patch(deployments, { namespace: "shop", name: "db" }, { type: "merge", patch: { status } }, options);
}

export interface GitopsCasesOptions {
  readonly name: string;
  readonly open: OpenCluster;
  /** Why cases that need the server to judge Argo's kinds are left out, unless it does. */
  readonly skipValidation: string | false;
}

export function gitopsCases({ name, open, skipValidation }: GitopsCasesOptions): void {
  void describe(name, () => {
    beforeEach(async () => {
      deadline = AbortSignal.timeout(50_000);
      parts = new AsyncDisposableStack();
      cluster = await open(parts);
      source = new SourceFake(url, { "app/config.yaml": configMap("settings", { color: "blue" }) });
      start();
      await until(namespaces, { name: "argocd" }, (found) => found !== undefined);
    });

    afterEach(async () => {
      stop.abort();
      await running;
      await parts[Symbol.asyncDispose]();
    });

    void test("an automated application brings its namespace and objects, and says so", async () => {
      await createApplication(automated);

      const application = await untilApplication(syncedAt(source.head));

      const object = await cluster.get(configMaps, setting, { signal: deadline });
      assert.deepEqual(object?.data, { color: "blue" });
      assert.equal(object?.metadata.annotations?.["argocd.argoproj.io/tracking-id"], "shop:/ConfigMap:shop/settings");
      const { status, operation } = application ?? {};
      assert.equal(operation, undefined);
      assert.equal(status?.health?.status, "Healthy");
      assert.equal(status?.history?.length, 1);
      assert.equal(status?.history?.[0]?.revision, source.head);
      assert.deepEqual(status?.conditions, []);
      assert.deepEqual(status?.resources, [
        { version: "v1", kind: "ConfigMap", namespace: "shop", name: "settings", status: "Synced" },
      ]);
      const said = await cluster.list(events, { namespace: "argocd", signal: deadline });
      assert.deepEqual(
        new Set(said.items.map(({ reason }) => reason)),
        new Set(["OperationStarted", "OperationCompleted", "ResourceUpdated"]),
      );
    });

    void test("a push changes, adds and prunes; the repository is asked only then", async () => {
      await createApplication(automated);
      await untilApplication(syncedAt(source.head));
      const asked = source.resolutions;

      const sha = push({ "app/other.yaml": configMap("other", {}) });
      const application = await untilApplication(syncedAt(sha));

      assert.equal(await cluster.get(configMaps, setting, { signal: deadline }), undefined);
      assert.notEqual(
        await cluster.get(configMaps, { namespace: "shop", name: "other" }, { signal: deadline }),
        undefined,
      );
      const results = application?.status?.operationState?.syncResult?.resources?.map(
        ({ name, status }) => `${name} ${status}`,
      );
      assert.deepEqual(results, ["other Synced", "settings Pruned"]);
      assert.equal(source.resolutions, asked + 1);
    });

    void test("drift is healed, and nothing else: no history, only the drifted object", async () => {
      await createApplication(automated);
      await untilApplication(syncedAt(source.head));

      const patch = { type: "merge", patch: { data: { color: "red", added: "by hand" } } } as const;
      await cluster.patch(configMaps, setting, patch, { signal: deadline });
      await until(configMaps, setting, (object) => object?.data?.["color"] === "blue");
      const application = await untilApplication(
        (status) => syncedAt(source.head)(status) && status.operationState?.operation.sync?.selfHealAttemptsCount === 1,
      );

      assert.equal(application?.status?.history?.length, 1);
      // A key nobody ever applied is somebody else's, as with kubectl.
      const healed = await cluster.get(configMaps, setting, { signal: deadline });
      assert.deepEqual(healed?.data, { color: "blue", added: "by hand" });
    });

    void test("a broken kustomization touches nothing and names file, line and remedy; mending it goes on", async () => {
      await createApplication(automated);
      await untilApplication(syncedAt(source.head));

      push({ "app/kustomization.yaml": "resources:\n  - gone.yaml\n" });
      const application = await untilApplication(({ sync }) => sync?.status === "Unknown");

      const [problem] = application?.status?.conditions ?? [];
      assert.equal(problem?.type, "ComparisonError");
      assert.match(
        problem?.message ?? "",
        /app\/kustomization\.yaml:2:5: resources\[0\]: file "gone\.yaml" does not exist in "app": add it/,
      );
      assert.notEqual(await cluster.get(configMaps, setting, { signal: deadline }), undefined);
      const sha = push({
        "app/kustomization.yaml": "resources: [c.yaml]\n",
        "app/c.yaml": configMap("settings", { color: "green" }),
      });
      await untilApplication(syncedAt(sha));
      assert.equal((await cluster.get(configMaps, setting, { signal: deadline }))?.data?.["color"], "green");
    });

    void test("without automation nothing happens until an operation is requested at the root, as kubectl does it", async () => {
      await createApplication({ syncOptions: ["CreateNamespace=true"] });
      await untilApplication(({ sync, health }) => sync?.status === "OutOfSync" && health?.status === "Missing");

      const operation = { sync: { revision: source.head }, initiatedBy: { username: "ann" } };
      await cluster.patch(applications, key, { type: "merge", patch: { operation } }, { signal: deadline });
      const application = await untilApplication(syncedAt(source.head));

      assert.equal(application?.operation, undefined);
      assert.deepEqual(application?.status?.history?.[0]?.initiatedBy, { username: "ann" });
    });

    void test("an object that the server refuses fails the dry run: nothing is applied, retries are announced", async () => {
      source.commit({
        "app/a.yaml": configMap("good", {}),
        "app/b.yaml": JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "Not A Name" } }),
      });
      await createApplication({ ...automated, retry: { limit: 1, backoff: { duration: "100ms" } } });

      const waiting = await untilApplication(
        ({ conditions }) => conditions?.[0]?.message.includes("Retrying attempt #1") === true,
      );
      const application = await untilApplication(({ operationState }) => operationState?.phase === "Failed");

      assert.match(
        waiting?.status?.operationState?.message ?? "",
        /^one or more objects failed to apply \(dry run\), reason: app\/b\.yaml:1:58: ConfigMap "Not A Name"/,
      );
      const [announced] = waiting?.status?.conditions ?? [];
      assert.deepEqual(
        [announced?.type, announced?.message],
        ["SyncError", waiting?.status?.operationState?.message],
        "the condition says so from the first attempt on",
      );
      assert.equal(application?.status?.operationState?.retryCount, 1);
      assert.equal(await cluster.get(configMaps, { namespace: "shop", name: "good" }, { signal: deadline }), undefined);
      await untilApplication(
        ({ conditions }) =>
          conditions?.some(
            ({ type, message }) => type === "SyncError" && message.startsWith("Failed last sync attempt to"),
          ) === true,
      );
    });

    void test("a commit that mends what was refused is synced at once, not after the retries of the refused one", async () => {
      const sha = source.head;
      await createApplication({ ...automated, retry: { limit: 5, backoff: { duration: "1h", maxDuration: "1h" } } });
      await untilApplication(syncedAt(sha));
      push({ "app/b.yaml": JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "Not A Name" } }) });
      await untilApplication(({ operationState }) => operationState?.message?.includes("Retrying attempt #1") === true);

      const mended = push({ "app/c.yaml": configMap("settings", { color: "green" }) });
      const application = await untilApplication(syncedAt(mended));

      assert.deepEqual(application?.status?.conditions, []);
      assert.deepEqual(
        application?.status?.history?.map(({ revision }) => revision),
        [sha, mended],
      );
      assert.equal(application?.status?.operationState?.retryCount, 0);
    });

    void test("a commit that takes back what was refused ends its retries", async () => {
      const files = { "app/config.yaml": configMap("settings", { color: "blue" }) };
      await createApplication({ ...automated, retry: { limit: 5, backoff: { duration: "1h", maxDuration: "1h" } } });
      await untilApplication(syncedAt(source.head));
      push({ ...files, "app/b.yaml": configMap("Not A Name", {}) });
      await untilApplication(({ operationState }) => operationState?.message?.includes("Retrying attempt #1") === true);

      const reverted = push(files);
      const application = await untilApplication(({ operationState }) => operationState?.phase === "Failed");

      const { operationState, conditions, sync } = application?.status ?? {};
      assert.deepEqual([sync?.status, sync?.revision], ["Synced", reverted]);
      assert.match(operationState?.message ?? "", new RegExp(`"Not A Name".*\\. Given up for ${reverted}$`));
      assert.deepEqual(conditions, []);
    });

    void test("retries that a person asked for go on at their commit when another one comes", async () => {
      await createApplication({ syncOptions: ["CreateNamespace=true"] });
      const refused = push({
        "app/b.yaml": JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "A B" } }),
      });
      const operation = { sync: { revision: refused }, retry: { limit: 1, backoff: { duration: "300ms" } } };
      await cluster.patch(applications, key, { type: "merge", patch: { operation } }, { signal: deadline });
      await untilApplication(({ operationState }) => operationState?.message?.includes("Retrying attempt #1") === true);
      push({ "app/c.yaml": configMap("settings", { color: "green" }) });
      const application = await untilApplication(({ operationState }) => operationState?.phase === "Failed");
      assert.equal(application?.status?.operationState?.syncResult?.revision, refused);
      assert.equal(application?.status?.operationState?.retryCount, 1);
    });

    void test(
      "what the server refuses in a kustomized object is named with the file and line that wrote it",
      { skip: skipValidation },
      async () => {
        source.commit({
          "app/kustomization.yaml": "resources: [../base]\nnamespace: shop\n",
          "base/kustomization.yaml": "resources: [rollout.yaml]\n",
          "base/rollout.yaml": badRollout,
        });
        await createApplication({ syncOptions: ["CreateNamespace=true"] });
        const patch = { operation: { sync: { prune: false } } };
        await cluster.patch(applications, key, { type: "merge", patch }, { signal: deadline });

        const application = await untilApplication(({ operationState }) => operationState?.phase === "Failed");

        const message = application?.status?.operationState?.message ?? "";
        assert.match(
          message,
          /^one or more objects failed to apply \(dry run\), reason: base\/rollout\.yaml:16:22: Rollout "web"/,
        );
        assert.match(message, /spec\.strategy\.canary\.steps\[1\]\.setWeight: Invalid value: 150/);
      },
    );

    void test("waves wait for the health of the one before, hooks come first", async () => {
      source.commit(inWaves);
      await createApplication(automated);
      await untilWaiting();
      assert.deepEqual([await exists("before"), await exists("after")], [true, false]);

      await reportReady();
      await untilApplication(syncedAt(source.head));

      assert.equal(await exists("after"), true);
    });

    void test("a sync that was interrupted goes on where it was: no hook runs twice", async () => {
      source.commit(inWaves);
      await createApplication(automated);
      await untilWaiting();
      const hook = await cluster.get(configMaps, { namespace: "shop", name: "before" }, { signal: deadline });

      stop.abort();
      await running;
      await reportReady();
      start();
      const application = await untilApplication(syncedAt(source.head));

      assert.equal(await exists("after"), true);
      assert.equal(application?.status?.history?.length, 1);
      const same = await cluster.get(configMaps, { namespace: "shop", name: "before" }, { signal: deadline });
      assert.equal(same?.metadata.resourceVersion, hook?.metadata.resourceVersion);
    });

    void test("a waiting sync can be terminated, as the command line does it", async () => {
      source.commit(inWaves);
      await createApplication(automated);
      await untilWaiting();

      const patch = { status: { operationState: { phase: "Terminating" } } };
      await cluster.patch(applications, key, { type: "merge", patch }, { signal: deadline });
      const application = await untilApplication(({ operationState }) => operationState?.phase === "Failed");

      assert.equal(application?.status?.operationState?.message, "Operation terminated");
      assert.equal(await exists("after"), false);
    });

    void test("a custom resource with server defaults is in sync after one sync, and its service too", async () => {
      const template = {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "web", image: "shop/web:v1", ports: [{ containerPort: 8080 }] }] },
      };
      const rollout = {
        apiVersion: "argoproj.io/v1alpha1",
        kind: "Rollout",
        metadata: { name: "web" },
        spec: {
          selector: { matchLabels: { app: "web" } },
          strategy: { canary: { steps: [{ setWeight: 50 }, { pause: {} }] } },
          template,
        },
      };
      const service = {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "web" },
        spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
      };
      source.commit({
        "app/kustomization.yaml": "resources: [all.yaml]\nimages: [{name: shop/web, newTag: v2}]\n",
        "app/all.yaml": `${JSON.stringify(rollout)}\n---\n${JSON.stringify(service)}\n`,
      });
      await createApplication(automated);

      const application = await untilApplication(syncedAt(source.head));

      assert.deepEqual(application?.status?.summary?.images, ["shop/web:v2"]);
      assert.equal(application?.status?.sourceType, "Kustomize");
      assert.notEqual(await cluster.get(rollouts, { namespace: "shop", name: "web" }, { signal: deadline }), undefined);
      assert.notEqual(await cluster.get(services, { namespace: "shop", name: "web" }, { signal: deadline }), undefined);
      const changes = await gitops.diff(key, deadline);
      assert.deepEqual(changes.map(({ kind, change }) => `${kind} ${change}`).sort(), ["Rollout none", "Service none"]);
      const tree = await gitops.tree(key, deadline);
      assert.deepEqual(tree.map(({ kind, sync }) => `${kind} ${sync}`).sort(), ["Rollout Synced", "Service Synced"]);
    });

    void test("a rollback brings back an earlier commit, and is refused under automated sync", async () => {
      await createApplication({ syncOptions: ["CreateNamespace=true"] });
      await gitops.sync(key, {}, deadline);
      await untilApplication(syncedAt(source.head));
      const sha = push({ "app/config.yaml": configMap("settings", { color: "red" }) });
      await untilApplication(({ sync }) => sync?.status === "OutOfSync" && sync.revision === sha);
      await gitops.sync(key, {}, deadline);
      await untilApplication(syncedAt(sha));

      await gitops.rollback(key, 0, deadline);
      await untilApplication(({ history }) => history?.length === 3);

      assert.deepEqual((await cluster.get(configMaps, setting, { signal: deadline }))?.data, { color: "blue" });
      await cluster.patch(
        applications,
        key,
        { type: "merge", patch: { spec: { syncPolicy: { automated: {} } } } },
        { signal: deadline },
      );
      await assert.rejects(gitops.rollback(key, 0, deadline), { code: "gitops/automated" });
    });

    void test("a spec that cannot be served is refused in a condition, and served when mended", async () => {
      await createApplication(automated);
      await untilApplication(syncedAt(source.head));

      await cluster.patch(
        applications,
        key,
        { type: "merge", patch: { spec: { destination: { server: "https://elsewhere.example.com" } } } },
        { signal: deadline },
      );
      const application = await untilApplication(({ conditions }) => conditions?.[0]?.type === "InvalidSpecError");
      await cluster.patch(
        applications,
        key,
        { type: "merge", patch: { spec: { destination: { server: "https://kubernetes.default.svc" } } } },
        { signal: deadline },
      );

      assert.match(
        application?.status?.conditions?.[0]?.message ?? "",
        /names "https:\/\/elsewhere\.example\.com": only this cluster can be reached/,
      );
      assert.notEqual(await cluster.get(configMaps, setting, { signal: deadline }), undefined);
      await untilApplication(({ sync, conditions }) => sync?.status === "Synced" && conditions?.length === 0);
    });

    void test("deleting an application with the finalizer deletes what it manages", async () => {
      await createApplication(automated);
      await untilApplication(syncedAt(source.head));
      const finalizers = ["resources-finalizer.argocd.argoproj.io"];
      await cluster.patch(
        applications,
        key,
        { type: "merge", patch: { metadata: { finalizers } } },
        { signal: deadline },
      );

      await cluster.delete(applications, key, { signal: deadline });
      await until(applications, key, (application) => application === undefined);

      assert.equal(await cluster.get(configMaps, setting, { signal: deadline }), undefined);
    });

    void test("a settled application is left alone: a change that is no drift leads to no write", async () => {
      await createApplication(automated);
      const application = await untilApplication(syncedAt(source.head));
      const patch = { type: "merge", patch: { metadata: { labels: { seen: "yes" } } } } as const;

      const touched = await cluster.patch(configMaps, setting, patch, { signal: deadline });
      // Passes take a few milliseconds; one that wrote would lead to the next.
      await systemClock.sleep(150, deadline);

      const after = await cluster.get(applications, key, { signal: deadline });
      assert.equal(after?.metadata.resourceVersion, application?.metadata.resourceVersion);
      const object = await cluster.get(configMaps, setting, { signal: deadline });
      assert.equal(object?.metadata.resourceVersion, touched.metadata.resourceVersion);
    });
  });
}
