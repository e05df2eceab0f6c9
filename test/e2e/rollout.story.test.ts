/** Story: a release manager steers a canary by hand, and real requests show what the users got. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { RolloutDetail } from "#api";
import { rolloutWithService } from "../support/manifests.ts";
import { skipWithout } from "../support/needs.ts";
import { run } from "../support/run-command.ts";
import { pushImage } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { countBodies, type Customers, keepCustomers, untilAnswer } from "../support/traffic.ts";
import { until } from "../support/until.ts";

const host = "shop.default.localhost";
const steps = "[{ setWeight: 20 }, { pause: {} }, { setWeight: 60 }, { pause: {} }]";
const requests = 200;

describe("Given a canary that waits for a person at 20 % and at 60 %, under traffic", { skip: skips() }, () => {
  let tidegate: Tidegate;
  let customers: Customers;
  const images: Record<string, string> = {};

  before(async () => {
    tidegate = await startTidegate();
    for (const version of ["v1", "v2", "v3"]) images[version] = await pushImage(tidegate, "acme/shop", version);
    await deploy("v1");
    await untilPhase("Healthy");
    await untilAnswer(tidegate, host, ({ status }) => status === 200);
    customers = keepCustomers(tidegate, host);
  });
  after(async () => {
    await customers[Symbol.asyncDispose]();
    const { failed, answers } = customers;
    await tidegate[Symbol.asyncDispose]();
    assert.deepEqual([failed(), answers.length > 100], [0, true], "not one request failed in all of it");
  });
  beforeEach(async () => {
    // Every test begins with all traffic on what the one before it left as stable.
    await untilPhase("Healthy", "Degraded");
  });

  const deploy = async (version: string): Promise<void> => {
    const input = rolloutWithService({ name: "shop", image: images[version] ?? "", steps, replicas: 2 });
    await run("kubectl", ["apply", "-f", "-"], { env: tidegate.env, input });
  };
  const detail = (): Promise<RolloutDetail> => tidegate.api<RolloutDetail>("/rollouts/default/shop");
  const untilDetail = (what: string, accept: (rollout: RolloutDetail) => boolean): Promise<RolloutDetail> =>
    until(tidegate, what, async () => {
      const rollout = await detail();
      if (accept(rollout)) return rollout;
      throw new Error(`The rollout is ${JSON.stringify({ ...rollout, weights: undefined, analysisRuns: undefined })}`);
    });
  const untilPhase = (...phases: readonly string[]): Promise<RolloutDetail> =>
    untilDetail(`the phase ${phases.join(" or ")}`, ({ phase }) => phases.includes(phase));
  const untilPausedAt = (weight: number): Promise<RolloutDetail> =>
    untilDetail(`a pause at ${weight} %`, (it) => it.phase === "Paused" && it.actualWeight === weight);
  const rollout = async (action: string, ...args: readonly string[]): Promise<string> =>
    (await tidegate.cli(["rollout", action, "shop", ...args])).stdout.trim();
  /** Asserts the share of `version` among real requests: exact where there is nothing to divide, else close to it. */
  const hasShare = async (version: string, percent: number): Promise<void> => {
    const counts = await countBodies(tidegate, host, requests);
    const share = ((counts[version] ?? 0) / requests) * 100;
    // The router divides all requests exactly; the customers' among them make ours a sample.
    const off = percent === 100 ? 0 : 4;
    assert.ok(Math.abs(share - percent) <= off, `${percent} % of ${version} wanted, got ${JSON.stringify(counts)}`);
  };

  test("when each pause is promoted, then 20 %, 60 % and all requests get the new version", async () => {
    await deploy("v2");
    await untilPausedAt(20);
    await hasShare("v2", 20);
    assert.equal(await rollout("promote"), "rollout 'shop' promoted");
    await untilPausedAt(60);
    await hasShare("v2", 60);
    await rollout("promote");
    await untilPhase("Healthy");
    await hasShare("v2", 100);
    const { stdout } = await tidegate.cli(["rollout", "get", "shop"]);
    assert.match(stdout, /Status: +✔ Healthy[\s\S]*SetWeight: +100[\s\S]*# revision:2[\s\S]*stable/);
  });

  test("when it is aborted, then all requests get the old version at once; when retried, the canary begins anew", async () => {
    await deploy("v3");
    await untilPausedAt(20);
    assert.equal(await rollout("abort"), "rollout 'shop' aborted");
    const aborted = await untilPhase("Degraded");
    assert.match(aborted.message, /^RolloutAborted: Rollout aborted update to revision 3/);
    await hasShare("v2", 100);
    assert.equal(await rollout("retry"), "rollout 'shop' retried");
    await untilPausedAt(20);
    await hasShare("v3", 20);
    await rollout("abort");
    await untilPhase("Degraded");
    await hasShare("v2", 100);
  });

  test("when the version that was aborted is undone, then the release is healthy again without a canary", async () => {
    assert.match(await rollout("undo"), /^rollout 'shop' undo to revision \d+$/);
    const healthy = await untilPhase("Healthy");
    assert.ok(healthy.images.some(({ image, roles }) => image === images["v2"] && roles.includes("stable")));
    await hasShare("v2", 100);
  });

  test("when it is undone to a revision of long ago, then that one comes by the same steps", async () => {
    const { revisions } = await detail();
    const first = revisions.find(({ images: [image] }) => image === images["v1"]);
    assert.equal(
      await rollout("undo", "--to-revision", String(first?.revision)),
      `rollout 'shop' undo to revision ${first?.revision}`,
    );
    await untilPausedAt(20);
    await hasShare("v1", 20);
    assert.equal(await rollout("promote", "--full"), "rollout 'shop' fully promoted");
    await untilPhase("Healthy");
    await hasShare("v1", 100);
    const { stderr } = await tidegate.cli(["rollout", "undo", "shop", "--to-revision", "99"], 1);
    assert.match(stderr, /there is no revision 99: known are \d/);
  });

  test("when it is paused, then nothing moves until it is resumed", async () => {
    assert.equal(await rollout("pause"), "rollout 'shop' paused");
    await deploy("v2");
    await untilDetail("the pause", ({ phase }) => phase === "Paused");
    await hasShare("v1", 100);
    assert.equal(await rollout("resume"), "rollout 'shop' resumed");
    await untilPausedAt(20);
    await hasShare("v2", 20);
    await rollout("promote", "--full");
    await untilPhase("Healthy");
  });

  test("when the rollout or the action is unknown, then the command says so and exits 1 or 2", async () => {
    const { stderr } = await tidegate.cli(["rollout", "promote", "nothing"], 1);
    assert.match(stderr, /^error: There is no rollout "default\/nothing"/);
    assert.match((await tidegate.cli(["rollout", "explode", "shop"], 2)).stderr, /unknown command|too many arguments/);
  });

  test("when it all is over, then the router's metrics tell the revisions apart", async () => {
    const query = 'count(count by (revision) (tidegate_router_requests_total{service="shop"}))';
    const response = await fetch(`${tidegate.url}/prometheus/api/v1/query?query=${encodeURIComponent(query)}`, {
      headers: { authorization: `Bearer ${tidegate.adminToken}` },
    });
    const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
    // v1, v2 and v3.
    assert.ok(Number(data.result[0]?.value[1]) >= 3, JSON.stringify(data));
  });
});

function skips(): string | false {
  return skipWithout("skopeo") || skipWithout("kubectl", ["version", "--client"]);
}
