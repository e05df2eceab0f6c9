/**
 * The containers of one job: its services, the container that its steps run in, and those of Docker actions. Everything
 * is made under the job's label before it is used, so that whoever comes after a crash can remove it.
 */
import { realpath, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { EngineClient } from "#engine";
import { errorMessage, withDeadline, type Log } from "#lib";
import type { ContainerSpec, ContextObject } from "#workflows";
import { StepFailure } from "../errors.ts";
import type { Job } from "../job/job.ts";
import { fillRecord } from "../steps/contexts.ts";
import type { Scope } from "../steps/scope.ts";
import type { StepHost } from "../steps/step-host.ts";
import { containerHost, mountedNode } from "./container-host.ts";
import { containerRequest } from "./container-request.ts";
import { containerLog } from "./container-log.ts";
import { JobEngine, type InspectedContainer } from "./job-engine.ts";
import { fetchImage, loginFor } from "./job-images.ts";
import { leadToServer, serverPorts } from "./lead-to-server.ts";
import { PathMap, type Mount } from "./path-map.ts";
import { untilHealthy } from "./until-healthy.ts";

type Say = (text: string) => void;

interface Started {
  readonly name: string;
  readonly id: string;
  readonly facts: InspectedContainer;
}

export class JobContainers {
  readonly job: Job;
  readonly engine: JobEngine;
  /** Set when steps run in a container. */
  host: StepHost | undefined;
  readonly #services: Started[] = [];
  #container: Started | undefined;
  readonly #owned = new AsyncDisposableStack();
  #networkName = "";
  #sandboxLeads: Promise<void> | undefined;

  private constructor(job: Job, engine: JobEngine) {
    this.job = job;
    this.engine = engine;
  }

  static async open(job: Job, engine: EngineClient, log: Log): Promise<JobContainers> {
    return new JobContainers(job, await JobEngine.open(engine, job.parts.trackingId, log));
  }

  /** Services first, all at once, then the job's own; returns when each that says how it is says that it is well. */
  async start(scope: Scope, say: Say, signal: AbortSignal): Promise<void> {
    const { container, serviceContainers = {} } = this.job.parts.assignment;
    const services = Object.entries(serviceContainers).filter(([, spec]) => spec.image !== "");
    this.#networkName = await this.engine.network(signal);
    say(`Network ${this.#networkName}`);
    for (const [name, spec] of services) {
      say(`##[group]Starting ${name} service container`);
      this.#services.push(await this.#startService(name, filled(spec, scope), say, signal));
      say("##[endgroup]");
    }
    if (container !== undefined) {
      say("##[group]Starting job container");
      await this.#startContainer(filled(container, scope), say, signal);
      say("##[endgroup]");
    }
    if (services.length > 0) await this.#untilHealthy(say, signal);
  }

  /** `job.container` and `job.services`. */
  get context(): ContextObject {
    const network = this.#networkName;
    const services = this.#services.map(({ name, id, facts }): [string, ContextObject] => [
      name,
      { id, network, ports: portsOf(facts) },
    ]);
    return {
      ...(this.#container === undefined ? {} : { container: { id: this.#container.id, network } }),
      ...(services.length === 0 ? {} : { services: Object.fromEntries(services) }),
    };
  }

  /** What a container of a Docker action shares the network of: the job's own, else one made for that. */
  async actionNetwork(signal: AbortSignal): Promise<string> {
    if (this.#container !== undefined) return `container:${this.#container.id}`;
    const id = await this.engine.sandbox(signal);
    this.#sandboxLeads ??= this.engine.inspect(id, signal).then((facts) => this.#lead(facts));
    await this.#sandboxLeads;
    return `container:${id}`;
  }

  /** The logs of services for people, then nothing of the job is left. */
  async stop(say: Say): Promise<void> {
    const signal = withDeadline(new AbortController().signal, 30_000);
    for (const { name, id } of this.#services) {
      say(`##[group]Log of the service container ${name}`);
      say(await containerLog(this.engine.engine, id, signal).catch(errorMessage));
      say("##[endgroup]");
    }
    await this.remove();
  }

  async remove(): Promise<void> {
    await this.#owned.disposeAsync();
    await this.engine.removeAll();
    await this.engine[Symbol.asyncDispose]();
  }

  async #startService(name: string, spec: ContainerSpec, say: Say, signal: AbortSignal): Promise<Started> {
    const login = spec.credentials ?? loginFor(spec.image, this.job);
    await fetchImage(this.engine.engine, spec.image, login, say, signal);
    const request = containerRequest({
      image: spec.image,
      spec: { ...spec, env: { GITHUB_ACTIONS: "true", CI: "true", ...spec.env } },
      labels: this.engine.labels,
      mounts: [],
      network: this.#networkName,
      alias: name,
    });
    return await this.#run(name, request, `services.${name}`, signal);
  }

  async #startContainer(spec: ContainerSpec, say: Say, signal: AbortSignal): Promise<void> {
    const { engine } = this.engine;
    await fetchImage(engine, spec.image, spec.credentials ?? loginFor(spec.image, this.job), say, signal);
    const mounts = await this.#jobMounts();
    const paths = new PathMap(mounts);
    const { workspace } = this.job.parts.folders;
    await writeGitConfig(this.job.parts.folders.containerHome, paths.inside(workspace));
    const request = containerRequest({
      image: spec.image,
      spec: { ...spec, env: { HOME: "/github/home", GITHUB_ACTIONS: "true", CI: "true", ...spec.env } },
      labels: this.engine.labels,
      mounts,
      network: this.#networkName,
      alias: "job",
      extraHosts: serverPorts(this.job.parts.assignment).names.map((name) => `${name}:127.0.0.1`),
      workdir: paths.inside(workspace),
      waits: true,
    });
    const started = await this.#run("job", request, "container", signal);
    if (!started.facts.State.Running) {
      const log = await containerLog(engine, started.id, signal);
      throw new StepFailure(`The job's container of "${spec.image}" ended as soon as it was started: ${log}`);
    }
    this.#container = started;
    const running = { engine, id: started.id, events: this.engine.events };
    this.host = containerHost(running, spec.image, started.facts.Config.Env ?? [], paths, this.job);
    await this.#lead(started.facts);
  }

  async #lead({ State }: InspectedContainer): Promise<void> {
    this.#owned.use(await leadToServer(this.job, State.Pid));
  }

  async #run(name: string, request: object, what: string, signal: AbortSignal): Promise<Started> {
    try {
      const id = await this.engine.create(name, request, signal);
      await this.engine.start(id, signal);
      return { name, id, facts: await this.engine.inspect(id, signal) };
    } catch (error) {
      signal.throwIfAborted();
      throw new StepFailure(`Cannot start the container of "${what}": ${errorMessage(error)}`, error);
    }
  }

  /** As GitHub's runner has them: what actions and scripts know these folders by. */
  async #jobMounts(): Promise<readonly Mount[]> {
    const { folders, runner } = this.job.parts;
    const node = await realpath(runner.nodePath);
    return [
      { source: dirname(folders.above), target: "/__w" },
      // A working tree that somebody runs the workflow in lies elsewhere.
      ...(folders.bound ? [{ source: folders.workspace, target: boundTarget(folders.above) }] : []),
      { source: folders.toolCache, target: "/__t" },
      { source: folders.containerHome, target: "/github/home" },
      { source: dirname(folders.eventPath), target: "/github/workflow" },
      { source: node, target: mountedNode, readOnly: true },
      ...engineSocket(this.engine.engine),
    ];
  }

  async #untilHealthy(say: Say, signal: AbortSignal): Promise<void> {
    say("##[group]Waiting for all services to be ready");
    for (const [index, { name, id }] of this.#services.entries()) {
      const facts = await untilHealthy(this.engine, id, this.job.parts.clock, signal);
      this.#services[index] = { name, id, facts };
      const health = facts.State.Health?.Status ?? "";
      if (health === "unhealthy" || !facts.State.Running) {
        say(await containerLog(this.engine.engine, id, signal));
        say("##[endgroup]");
        const said = (facts.State.Health?.Log ?? []).at(-1)?.Output?.trim() ?? "";
        const why = facts.State.Running ? `its health check failed: ${said}` : `it ended with ${facts.State.ExitCode}`;
        throw new StepFailure(`Service "${name}" did not start: ${why}. Its log is above`);
      }
      say(health === "healthy" ? `${name} is healthy` : `${name} is running`);
    }
    say("##[endgroup]");
  }
}

function boundTarget(above: string): string {
  const name = basename(above);
  return `/__w/${name}/${name}`;
}

/** Jobs drive the engine as those of GitHub do: by its usual socket. */
export function engineSocket(engine: EngineClient): readonly Mount[] {
  return engine.address.kind === "socket" ? [{ source: engine.address.path, target: "/var/run/docker.sock" }] : [];
}

/** Files belong to whoever runs the runner; git in the container, as somebody else, refuses those unless told so. */
async function writeGitConfig(home: string, workspace: string): Promise<void> {
  await writeFile(join(home, ".gitconfig"), `[safe]\n\tdirectory = ${workspace}\n`);
}

/** With `env` evaluated, which may read what only the runner knows. */
function filled(spec: ContainerSpec, scope: Scope): ContainerSpec {
  return { ...spec, env: fillRecord(scope, spec.env) };
}

/** Ports of the container, by number, to those of the machine. */
function portsOf({ NetworkSettings }: InspectedContainer): ContextObject {
  const entries = Object.entries(NetworkSettings.Ports ?? {}).flatMap(([port, bindings]) => {
    const hostPort = bindings?.[0]?.HostPort;
    return hostPort === undefined ? [] : [[port.replace(/\/.*$/, ""), hostPort] as [string, string]];
  });
  return Object.fromEntries(entries);
}
