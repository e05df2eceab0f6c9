/** Runs without time, tables or runners, for tests of the planner. */
import assert from "node:assert/strict";
import { parseWorkflowFile } from "../parse/workflow-file.ts";
import type { Workflow } from "../parse/model.ts";
import type { ContextObject } from "../protocol.ts";
import type { GateFacts } from "./environment-gate.ts";
import type { Conclusion, JobInstance, JobState } from "./job-state.ts";
import { planRun, type ObservedRun, type RunAction } from "./plan-run.ts";

function workflow(jobs: string): Workflow {
  const { value, problems } = parseWorkflowFile(".github/workflows/ci.yml", `on: push\njobs:\n${jobs}`);
  assert.deepEqual(problems, []);
  assert.ok(value !== undefined);
  return value;
}

export interface JobText {
  readonly [key: string]: string;
}

/** Jobs as `key: rest of the mapping in flow style`. */
function jobsOf(jobs: JobText): Workflow {
  const lines = Object.entries(jobs).map(([key, rest]) => {
    const comma = rest === "" ? "" : ", ";
    return `  ${key}: {runs-on: x, steps: [{run: make}]${comma}${rest}}`;
  });
  return workflow(lines.join("\n"));
}

function placeholder(key: string): JobState {
  return { id: key, key, status: "waiting", outputs: {}, cancelRequested: false, tries: 0 };
}

/** A run whose runners do what `end` says, without time passing. */
export class Simulation {
  readonly workflow: Workflow;
  jobs: JobState[];
  cancelRequested = false;
  group: string | undefined;
  /** Rules by environment; undefined where there are no gates. */
  rules: GateFacts["rules"] | undefined;
  epochMs = 0;
  conclusion: Conclusion | undefined;
  /** Every queueing, in order, for laws about it. */
  readonly queued: string[] = [];
  /** Why jobs ended without running. */
  readonly messages: string[] = [];
  readonly #github: ContextObject;
  #rounds = 0;

  constructor(given: Workflow, github: ContextObject = { ref: "refs/heads/main", event: {} }) {
    this.workflow = given;
    this.#github = github;
    this.jobs = given.jobs.map((job) => placeholder(job.key));
  }

  observed(): ObservedRun {
    const contexts = { github: this.#github, vars: {}, inputs: {} };
    const { workflow, jobs, cancelRequested, group } = this;
    const ref = typeof this.#github["ref"] === "string" ? this.#github["ref"] : "";
    const gates = this.rules && { gates: { rules: this.rules, ref, isProtected: false, epochMs: this.epochMs } };
    return {
      workflow,
      jobs,
      contexts,
      cancelRequested,
      nowMs: 1000,
      ...(group === undefined ? {} : { group }),
      ...gates,
    };
  }

  /** Plans and applies until nothing is left. */
  settle(): this {
    for (;;) {
      const actions = this.conclusion === undefined ? planRun(this.observed()) : [];
      if (actions.length === 0) return this;
      assert.ok((this.#rounds += 1) < 1_000, "planning comes to an end");
      for (const action of actions) this.#apply(action);
    }
  }

  #apply(action: RunAction): void {
    switch (action.kind) {
      case "expand":
        this.#change(action.jobId, { instance: action.instances[0] as NonNullable<JobState["instance"]> });
        for (const instance of action.instances.slice(1)) {
          const id = `${action.key}.${instance.index}`;
          this.jobs.push({ ...placeholder(action.key), id, instance });
        }
        return;
      case "queue":
        this.queued.push(action.jobId);
        this.#change(action.jobId, { status: "queued" });
        return;
      case "requeue":
        this.#change(action.jobId, { status: "queued" });
        return;
      case "request-cancel":
        this.#change(action.jobId, { cancelRequested: true });
        return;
      case "finish-job":
        this.#change(action.jobId, { status: "completed", conclusion: action.conclusion });
        if (action.message !== undefined) this.messages.push(action.message);
        return;
      case "finish-run":
        this.conclusion = action.conclusion;
        return;
      case "finish-call":
        this.#change(action.jobId, { status: "completed", conclusion: action.conclusion, outputs: action.outputs });
        return;
      case "arrive":
        this.#change(action.jobId, { gate: { environment: action.environment.name, openedMs: this.epochMs } });
        return;
      case "join":
        this.#join(action.jobId, action.group.name);
        return;
      case "enter":
        this.#change(action.jobId, { status: "in_progress" });
        for (const { key } of action.jobs) this.jobs.push(placeholder(key));
    }
  }

  #join(id: string, name: string): void {
    const job = this.jobs.find((other) => other.id === id);
    this.#change(id, { groups: [...(job?.groups ?? []), { name, state: "pending" }] });
  }

  /** The group lets the job go on. */
  admit(id: string): this {
    const job = this.jobs.find((other) => other.id === id);
    this.#change(id, { groups: (job?.groups ?? []).map(({ name }) => ({ name, state: "active" })) });
    return this.settle();
  }

  /** Somebody reviews what waits at its gate. */
  review(id: string, state: "approved" | "rejected", forced = false): this {
    const gate = this.jobs.find((job) => job.id === id)?.gate;
    assert.ok(gate, `${id} has come to its gate`);
    this.#change(id, { gate: { ...gate, review: { state, actor: "ada", comment: "", forced } } });
    return this.settle();
  }

  instanceOf(id: string): JobInstance {
    const instance = this.jobs.find((job) => job.id === id)?.instance;
    assert.ok(instance, `${id} is expanded`);
    return instance;
  }

  #change(id: string, values: Partial<JobState>): void {
    const index = this.jobs.findIndex((job) => job.id === id);
    const job = this.jobs[index];
    assert.ok(job !== undefined && job.status !== "completed", `only what has not completed changes: ${id}`);
    this.jobs[index] = { ...job, ...values };
  }

  /** A runner takes the job and ends it. */
  end(id: string, conclusion: Conclusion, outputs: Readonly<Record<string, string>> = {}): this {
    this.#change(id, { status: "completed", conclusion, outputs });
    return this.settle();
  }

  start(id: string, tries = 1, leaseEndsMs = 2000): this {
    this.#change(id, { status: "in_progress", tries, leaseEndsMs });
    return this;
  }

  state(id: string): string {
    const job = this.jobs.find((other) => other.id === id);
    return job?.conclusion ?? (job?.cancelRequested === true ? "cancelling" : (job?.status ?? "none"));
  }

  states(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.jobs.map((job) => [job.id, this.state(job.id)]));
  }
}

export function simulate(jobs: JobText): Simulation {
  return new Simulation(jobsOf(jobs)).settle();
}
