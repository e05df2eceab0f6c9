/** Story: a Deployment is restarted, changed, scaled and rolled back while customers keep coming; none of them notices. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { deployment, service } from "../support/manifests.ts";
import { skipWithout } from "../support/needs.ts";
import { type Finished, run } from "../support/run-command.ts";
import { pushImage } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { type Customers, keepCustomers, untilAnswer } from "../support/traffic.ts";

const skip = skipWithout("skopeo") || skipWithout("kubectl", ["version", "--client"]);
const perSecond = 500;
const host = "web.default.localhost";

describe(`Given a Deployment that serves ${perSecond} requests a second`, { skip }, () => {
  let tidegate: Tidegate;
  let customers: Customers;
  let v2: string;
  let counted = 0;
  let began = 0;

  const kubectl = (...args: string[]): Promise<Finished> => run("kubectl", args, { env: tidegate.env });
  const settled = (): Promise<Finished> => kubectl("rollout", "status", "deployment/web", "--timeout=60s");

  before(async () => {
    tidegate = await startTidegate();
    const v1 = await pushImage(tidegate, "acme/web", "v1");
    v2 = await pushImage(tidegate, "acme/web", "v2");
    const input = `${deployment("web", v1, 2)}---\n${service("web")}`;
    await run("kubectl", ["apply", "-f", "-"], { env: tidegate.env, input });
    await settled();
    await untilAnswer(tidegate, host, ({ status }) => status === 200);
    began = performance.now();
    customers = keepCustomers(tidegate, host, { perSecond });
  });
  after(async () => {
    await customers[Symbol.asyncDispose]();
    await tidegate[Symbol.asyncDispose]();
  });

  /** Versions that answered since the last look; every request must have been answered. */
  const look = (): Set<string> => {
    const since = customers.answers.slice(counted);
    counted += since.length;
    const failed = since.filter(({ status }) => status !== 200);
    assert.deepEqual(failed, [], `${failed.length} of ${since.length} requests failed`);
    assert.ok(since.length > 0, "there were customers");
    return new Set(since.map(({ body }) => body.trim()));
  };

  test("when it is restarted, no request fails", async () => {
    await kubectl("rollout", "restart", "deployment/web");
    await settled();
    assert.deepEqual(look(), new Set(["v1"]));
  });

  test("when its image changes, requests go over to the new version without a gap", async () => {
    await kubectl("set", "image", "deployment/web", `web=${v2}`);
    await settled();
    assert.ok(look().has("v2"));
  });

  test("when it is scaled up and down, no request fails", async () => {
    for (const replicas of [6, 1]) {
      await kubectl("scale", "deployment/web", `--replicas=${replicas}`);
      await settled();
    }
    await kubectl("scale", "deployment/web", "--replicas=2");
    await settled();
    look();
  });

  test("when it is rolled back, requests go back", async () => {
    await kubectl("rollout", "undo", "deployment/web");
    await settled();
    // Those of before may answer what they have taken, until they are gone.
    const left = async (): Promise<number> =>
      (await kubectl("get", "pods", "-l", "app=web", "-o", "name")).stdout.trim().split("\n").length;
    while ((await left()) > 2) await new Promise((resolve) => setTimeout(resolve, 200));
    look();
    await untilAnswer(tidegate, host, ({ body }) => body === "v1\n");
  });

  test("when the new version crashes again and again, it gets no request", async (context) => {
    const crash =
      'require("http").createServer((q, r) => r.writeHead(500).end("broken")).listen(process.env.PORT); setTimeout(() => process.exit(1), 300)';
    const container = { name: "web", command: ["node", "-e", crash] };
    const patch = JSON.stringify({ spec: { template: { spec: { containers: [container] } } } });
    await kubectl("patch", "deployment", "web", "--patch", patch);
    const restarts = "jsonpath={.items[*].status.containerStatuses[*].restartCount}";
    const crashed = async (): Promise<boolean> => {
      const { stdout } = await kubectl("get", "pods", "-l", "app=web", "-o", restarts);
      return stdout.split(" ").some((count) => Number(count) >= 2);
    };
    while (!(await crashed())) await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(look(), new Set(["v1"]));
    await kubectl("rollout", "undo", "deployment/web");
    await settled();
    assert.deepEqual(look(), new Set(["v1"]));
    const rate = Math.round(counted / ((performance.now() - began) / 1000));
    context.diagnostic(`${counted} requests, ${rate} a second, none failed`);
  });
});
