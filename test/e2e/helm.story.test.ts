/** Story: a team installs, upgrades, breaks and takes back a chart with the helm that it has, 3 or 4, unmodified. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { join } from "node:path";
import type { Deployment, KubeObject } from "#api";
import { skipWithout } from "../support/needs.ts";
import { type Finished, run } from "../support/run-command.ts";
import { pushImage } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { countBodies, keepCustomers, untilAnswer } from "../support/traffic.ts";

const chart = join(import.meta.dirname, "..", "testdata", "charts", "shop");

/** What the two call the same thing. */
const helms = [
  { helm: "helm3", atomic: "--atomic", wait: "--wait" },
  { helm: "helm4", atomic: "--rollback-on-failure", wait: "--wait=watcher" },
] as const;

interface Release {
  readonly revision: number;
  readonly status: string;
  readonly description: string;
}

interface Job extends KubeObject {
  readonly status?: { readonly startTime?: string; readonly completionTime?: string; readonly succeeded?: number };
}

for (const { helm, atomic, wait } of helms) {
  const skip =
    skipWithout("skopeo") || skipWithout("kubectl", ["version", "--client"]) || skipWithout(helm, ["version"]);

  describe(`Given a chart, images and ${helm}`, { skip }, () => {
    let tidegate: Tidegate;
    let v1: string;
    let v2: string;
    const host = "shop.market.localhost";

    before(async () => {
      tidegate = await startTidegate();
      v1 = await pushImage(tidegate, "acme/shop", "v1");
      v2 = await pushImage(tidegate, "acme/shop", "v2");
    });
    after(() => tidegate[Symbol.asyncDispose]());

    const kubectl = (args: readonly string[], options: { code?: number; input?: string } = {}): Promise<Finished> =>
      run("kubectl", ["-n", "market", ...args], { env: tidegate.env, ...options });
    const read = async <T>(args: readonly string[]): Promise<T> =>
      JSON.parse((await kubectl(["get", ...args, "-o", "json"])).stdout) as T;
    const run3or4 = (args: readonly string[], code = 0): Promise<Finished> =>
      run(helm, ["-n", "market", ...args], { env: tidegate.env, code });
    const history = async (): Promise<Release[]> =>
      JSON.parse((await run3or4(["history", "shop", "-o", "json"])).stdout) as Release[];
    const upgrade = (values: readonly string[], code = 0): Promise<Finished> => {
      const set = values.flatMap((value) => ["--set", value]);
      const how = ["--install", "--create-namespace", atomic, "--timeout", "60s"];
      return run3or4(["upgrade", "shop", chart, ...how, ...set], code);
    };

    test("when it is installed, then its hooks run before and after, and it serves when helm says so", async () => {
      const { stdout } = await upgrade([`image=${v1}`]);
      assert.match(stdout, /STATUS: deployed\nREVISION: 1\n[\s\S]*shop greets with hello/);
      assert.deepEqual(await countBodies(tidegate, host, 20), { v1: 20 });
      const { metadata } = await read<Deployment>(["deployment", "shop"]);
      const made = Date.parse(metadata.creationTimestamp ?? "");
      const first = await read<Job>(["job", "shop-pre-install"]);
      const last = await read<Job>(["job", "shop-post-install"]);
      assert.ok(Date.parse(first.status?.completionTime ?? "") <= made, "the hook was done before the release began");
      assert.ok(Date.parse(last.status?.startTime ?? "") >= made, "the hook began when the release was there");
      assert.equal((await kubectl(["logs", "job/shop-post-install"])).stdout, "post-install of revision 1\n");
      assert.match((await kubectl(["get", "widgets"])).stdout, /^NAME +SIZE\nshop +2\n$/);
      const { stdout: jobs } = await kubectl(["get", "configmap", "shop", "-o", "jsonpath={.data.HAS_JOBS}"]);
      assert.equal(jobs, "true", "the chart sees what the cluster serves");
    });

    test("when it is asked about, then list, status, history and get tell what was installed", async () => {
      assert.match((await run3or4(["list"])).stdout, /^shop\s+market\s+1\s+.*deployed\s+shop-0.1.0\s+1/m);
      const { stdout: status } = await run3or4(["status", "shop", "-o", "json"]);
      assert.equal((JSON.parse(status) as { info: { status: string } }).info.status, "deployed");
      const [{ revision, description } = {}] = await history();
      assert.deepEqual([revision, description], [1, "Install complete"]);
      assert.match((await run3or4(["get", "values", "shop"])).stdout, new RegExp(`image: ${v1}`));
      assert.match((await run3or4(["get", "manifest", "shop"])).stdout, /kind: Deployment/);
      assert.match((await run3or4(["get", "hooks", "shop"])).stdout, /helm.sh\/hook: post-upgrade/);
      assert.match((await run3or4(["get", "notes", "shop"])).stdout, /shop greets with hello/);
    });

    test("when its tests are run, then helm waits for the pod and shows what it said", async () => {
      const { stdout } = await run3or4(["test", "shop", "--logs", "--timeout", "60s"]);
      assert.match(stdout, /Phase: +Succeeded[\s\S]*greets with hello/);
      await upgrade([`image=${v1}`, "greeting=goodbye"]);
      const failed = await run3or4(["test", "shop", "--timeout", "60s"], 1);
      assert.match(`${failed.stdout}${failed.stderr}`, /Phase: +Failed|pod shop-greets failed/i);
    });

    test("when it is upgraded, then no customer notices, and what was there could be looked up", async () => {
      await using customers = keepCustomers(tidegate, host);
      await upgrade([`image=${v2}`, "greeting=again"]);
      await untilAnswer(tidegate, host, ({ body }) => body === "v2\n");
      assert.deepEqual(await countBodies(tidegate, host, 20), { v2: 20 });
      assert.equal(customers.failed(), 0);
      assert.equal((await kubectl(["logs", "job/shop-pre-upgrade"])).stdout, "pre-upgrade of revision 3\n");
      const { stdout: before } = await kubectl(["get", "configmap", "shop", "-o", "jsonpath={.data.BEFORE}"]);
      assert.equal((JSON.parse(before) as { GREETING: string }).GREETING, "goodbye");
    });

    test("when an upgrade never gets ready, then helm takes it back by itself, and the old one served all along", async () => {
      await using customers = keepCustomers(tidegate, host);
      const how = ["--install", atomic, "--timeout", "6s", "--set", `image=${v1}`, "--set", "readyPath=/fail"];
      const { stderr } = await run3or4(["upgrade", "shop", chart, ...how], 1);
      assert.match(stderr, /UPGRADE FAILED/);
      assert.match(stderr, /rolled back due to (atomic|rollback-on-failure)/);
      const [failed, back] = (await history()).slice(-2);
      assert.deepEqual([failed?.status, back?.status, back?.description], ["failed", "deployed", "Rollback to 3"]);
      assert.deepEqual(await countBodies(tidegate, host, 20), { v2: 20 });
      assert.equal(customers.failed(), 0);
    });

    test("when a hook fails, then nothing of the release is touched", async () => {
      const { metadata } = await read<Deployment>(["deployment", "shop"]);
      const how = ["--timeout", "30s", "--set", `image=${v1}`, "--set", "migration=3"];
      const { stderr } = await run3or4(["upgrade", "shop", chart, ...how], 1);
      assert.match(stderr, /pre-upgrade hooks failed/);
      const after = await read<Deployment>(["deployment", "shop"]);
      assert.equal(after.metadata.generation, metadata.generation);
      assert.match((await kubectl(["get", "jobs"])).stdout, /^shop-pre-upgrade +Failed +0\/1/m);
    });

    test("when it is rolled back by hand and waited for, then the first revision serves again", async () => {
      const { stdout } = await run3or4(["rollback", "shop", "1", wait, "--timeout", "60s"]);
      assert.match(stdout, /Rollback was a success/);
      await untilAnswer(tidegate, host, ({ body }) => body === "v1\n");
      assert.deepEqual((await history()).at(-1)?.description, "Rollback to 1");
    });

    test("when it is uninstalled with its history kept, then it is gone and can be brought back", async () => {
      await run3or4(["uninstall", "shop", "--keep-history", "--wait", "--timeout", "60s"]);
      assert.equal(
        (await kubectl(["get", "deployments,services,configmaps", "-l", "app.kubernetes.io/name=shop"])).stdout,
        "",
      );
      assert.equal((await history()).at(-1)?.status, "uninstalled");
      await run3or4(["rollback", "shop", "3", wait, "--timeout", "60s"]);
      await untilAnswer(tidegate, host, ({ body }) => body === "v2\n");
    });

    test("when it is uninstalled, then nothing is left but its kind, as helm means it", async () => {
      await run3or4(["uninstall", "shop", "--wait", "--timeout", "60s"]);
      assert.deepEqual(JSON.parse((await run3or4(["list", "-o", "json"])).stdout), []);
      assert.equal((await kubectl(["get", "secrets", "-l", "owner=helm"])).stdout, "");
      assert.equal((await kubectl(["get", "deployments,services,widgets"])).stdout, "");
      await kubectl(["wait", "--for=delete", "pod", "-l", "app.kubernetes.io/name=shop", "--timeout=30s"]);
      await kubectl(["get", "crd", "widgets.shop.example.com"]);
    });

    test("when it is rendered for kubectl, then apply installs it and says the second time that nothing changed", async () => {
      const { stdout: manifest } = await run3or4(["template", "shop", chart, "--no-hooks", "--set", `image=${v1}`]);
      assert.match((await kubectl(["apply", "-f", "-"], { input: manifest })).stdout, /deployment.apps\/shop created/);
      await kubectl(["rollout", "status", "deployment/shop", "--timeout=60s"]);
      const again = await kubectl(["apply", "-f", "-"], { input: manifest });
      assert.equal(
        again.stdout
          .trim()
          .split("\n")
          .filter((line) => !line.endsWith(" unchanged"))
          .join("\n"),
        "",
      );
      await kubectl(["delete", "-f", "-", "--wait=true"], { input: manifest });
    });
  });
}
