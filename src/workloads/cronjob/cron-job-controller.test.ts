import assert from "node:assert/strict";
import { test } from "node:test";
import { type CronJob, cronJobs, type Job, jobs } from "#api";
import { Informers } from "#controller";
import { type EmbeddedCluster, openEmbeddedCluster } from "#kube";
import { silentLog } from "#lib";
import { ClockFake, idsFake } from "#lib/testing";
import type { ControllerContext } from "../controller-context.ts";
import { OwnWrites } from "../pods/own-writes.ts";
import { createCronJobController } from "./cron-job-controller.ts";

const { signal } = new AbortController();
const minuteMs = 60_000;

function cronJobOf(spec: Partial<CronJob["spec"]>): CronJob {
  const template = { spec: { restartPolicy: "Never" as const, containers: [{ name: "c", image: "i" }] } };
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "tick", namespace: "default" },
    spec: { schedule: "*/10 * * * *", jobTemplate: { spec: { template } }, ...spec },
  };
}

/** A cluster in virtual time: jobs end the moment they are there. */
class World {
  readonly clock = new ClockFake();
  readonly #cluster: EmbeddedCluster = openEmbeddedCluster({
    file: ":memory:",
    clock: this.clock,
    ids: idsFake(),
    log: silentLog,
  });
  readonly started: string[] = [];

  async create(cronJob: CronJob): Promise<void> {
    await this.#cluster.create(cronJobs, cronJob, { signal });
  }

  /** Runs the controller for so many minutes. */
  async run(minutes: number): Promise<void> {
    const stop = new AbortController();
    const [clock, cluster, log, ids] = [this.clock, this.#cluster, silentLog, idsFake()];
    await using informers = new Informers({ cluster, clock, log });
    const context: ControllerContext = { cluster, informers, clock, ids, log, timeZone: "UTC" };
    using written = new OwnWrites(informers.for(jobs), clock);
    using ownCronJobs = new OwnWrites(informers.for(cronJobs), clock);
    const running = createCronJobController(context, { jobs: written, cronJobs: ownCronJobs }).run(stop.signal);
    await ticks();
    for (let minute = 0; minute < minutes; minute++) {
      await clock.advance(minuteMs);
      await ticks();
      await this.#endJobs();
      await ticks();
    }
    stop.abort();
    await running;
  }

  async jobs(): Promise<string[]> {
    const { items } = await this.#cluster.list(jobs, { signal });
    return items.map(({ metadata }) => metadata.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster[Symbol.asyncDispose]();
  }

  async #endJobs(): Promise<void> {
    const { items } = await this.#cluster.list(jobs, { signal });
    for (const job of items.filter(({ status }) => status?.conditions === undefined)) {
      this.started.push(job.metadata.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"] ?? "");
      const time = this.clock.now().toString();
      const conditions: NonNullable<Job["status"]>["conditions"] = [
        { type: "Complete", status: "True", lastTransitionTime: time },
      ];
      const status = { startTime: time, completionTime: time, succeeded: 1, conditions };
      await this.#cluster.updateStatus(jobs, { ...job, status }, { signal });
    }
  }
}

/** Lets everything that is under way come to rest. */
async function ticks(): Promise<void> {
  for (let count = 0; count < 60; count++) await new Promise((resolve) => setImmediate(resolve));
}

test("an hour of a CronJob: each run once, at its time, and no more history than its limit", async () => {
  await using world = new World();
  await world.create(cronJobOf({}));
  await world.run(62);
  assert.deepEqual(
    world.started,
    ["00:10", "00:20", "00:30", "00:40", "00:50", "01:00"].map((time) => `2026-01-01T${time}:00Z`),
  );
  assert.equal((await world.jobs()).length, 3);
});

test("what came due while nothing ran is made up for once, the latest of it", async () => {
  await using world = new World();
  await world.create(cronJobOf({}));
  await world.run(11);
  await world.clock.advance(3 * 60 * minuteMs);
  await world.run(2);
  assert.deepEqual(world.started, ["2026-01-01T00:10:00Z", "2026-01-01T03:10:00Z"]);
});

test("unless it is too late for it", async () => {
  await using world = new World();
  await world.create(cronJobOf({ startingDeadlineSeconds: 30 }));
  await world.run(11);
  await world.clock.advance(3 * 60 * minuteMs);
  await world.run(2);
  assert.deepEqual(world.started, ["2026-01-01T00:10:00Z"]);
});
