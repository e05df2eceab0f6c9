/** The container engine as one job uses it: all that is made for the job carries its label, and goes by it. */
import { EngineClient, ensurePauseImage, isEngineStatus, pauseReference } from "#engine";
import { TaskGroup, withDeadline, type Log } from "#lib";
import { EngineEvents } from "./engine-events.ts";

/** What is known of a container of the job. */
export interface InspectedContainer {
  readonly Id: string;
  readonly State: {
    readonly Running: boolean;
    readonly Pid?: number;
    readonly ExitCode: number;
    readonly Health?: { readonly Status?: string; readonly Log?: readonly { readonly Output?: string }[] | null };
  };
  readonly Config: {
    readonly Env?: readonly string[] | null;
    /** In nanoseconds. */
    readonly Healthcheck?: { readonly Interval?: number } | null;
  };
  readonly NetworkSettings: {
    readonly Ports?: Readonly<Record<string, readonly { readonly HostPort?: string }[] | null>> | null;
  };
}

interface Listed {
  readonly Id: string;
}

/** Removing takes no longer, or not at all. */
const removalMs = 60_000;

export class JobEngine implements AsyncDisposable {
  readonly engine: EngineClient;
  readonly events: EngineEvents;
  readonly #trackingId: string;
  readonly #tasks: TaskGroup;
  #network: Promise<string> | undefined;
  #sandbox: Promise<string> | undefined;
  #count = 0;

  private constructor(engine: EngineClient, events: EngineEvents, trackingId: string, tasks: TaskGroup) {
    this.engine = engine;
    this.events = events;
    this.#trackingId = trackingId;
    this.#tasks = tasks;
  }

  static async open(engine: EngineClient, trackingId: string, log: Log): Promise<JobEngine> {
    const tasks = new TaskGroup((error, name) => log.warn("Containers of a job", { name, error }));
    const events = await EngineEvents.open(engine, labelOf(trackingId), tasks);
    return new JobEngine(engine, events, trackingId, tasks);
  }

  get labels(): Readonly<Record<string, string>> {
    return { [labelName]: this.#trackingId };
  }

  /** The job's own network, made when it is first asked for. */
  async network(signal: AbortSignal): Promise<string> {
    return await (this.#network ??= this.#makeNetwork(signal));
  }

  async #makeNetwork(signal: AbortSignal): Promise<string> {
    const name = this.#trackingId.replaceAll("_", "-");
    const body = { Name: name, Labels: this.labels, CheckDuplicate: true };
    await this.engine.send("POST", "/networks/create", { body, signal });
    return name;
  }

  /** A container that does nothing but hold a network for others, made when it is first asked for; its id. */
  async sandbox(signal: AbortSignal): Promise<string> {
    return await (this.#sandbox ??= this.#makeSandbox(signal));
  }

  async #makeSandbox(signal: AbortSignal): Promise<string> {
    await ensurePauseImage(this.engine, signal);
    const NetworkMode = await this.network(signal);
    const body = { Image: pauseReference, Entrypoint: ["/pause"], Labels: this.labels, HostConfig: { NetworkMode } };
    const id = await this.create("sandbox", body, signal);
    await this.start(id, signal);
    return id;
  }

  /** @param what becomes part of the name. The id of the container, which does not run yet */
  async create(what: string, body: object, signal: AbortSignal): Promise<string> {
    const part = what.replaceAll(/[^\w.-]/g, "-").slice(0, 40);
    const name = `${this.#trackingId.replaceAll("_", "-")}-${++this.#count}-${part}`;
    const { Id } = await this.engine.json<{ Id: string }>("POST", "/containers/create", {
      query: { name },
      body,
      signal,
    });
    return Id;
  }

  async start(id: string, signal: AbortSignal): Promise<void> {
    await this.engine.send("POST", `/containers/${id}/start`, { signal });
  }

  async inspect(id: string, signal: AbortSignal): Promise<InspectedContainer> {
    return await this.engine.json<InspectedContainer>("GET", `/containers/${id}/json`, { signal });
  }

  /** Makes a health check now. False where the engine is not Podman: it makes them by itself. */
  async checkHealth(id: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.engine.send("GET", `/libpod/containers/${id}/healthcheck`, { signal });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (isEngineStatus(error, 404)) return false;
      throw error;
    }
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    await removeContainer(this.engine, id, signal);
  }

  async removeAll(): Promise<void> {
    await removeOf(this.engine, this.#trackingId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }
}

const labelName = "tidegate.dev/job";

function labelOf(trackingId: string): string {
  return `${labelName}=${trackingId}`;
}

/** Removes every container, volume without a name and network of the job, whoever made them. */
export async function removeOf(engine: EngineClient, trackingId: string): Promise<void> {
  const signal = withDeadline(new AbortController().signal, removalMs);
  const filters = JSON.stringify({ label: [labelOf(trackingId)] });
  const containers = await engine.json<Listed[]>("GET", "/containers/json", { query: { all: 1, filters }, signal });
  await Promise.all(containers.map(({ Id }) => removeContainer(engine, Id, signal)));
  const networks = await engine.json<Listed[]>("GET", "/networks", { query: { filters }, signal });
  for (const { Id } of networks) {
    await engine.send("DELETE", `/networks/${Id}`, { signal }).catch((error: unknown) => {
      if (!isEngineStatus(error, 404)) throw error;
    });
  }
}

async function removeContainer(engine: EngineClient, id: string, signal: AbortSignal): Promise<void> {
  try {
    await engine.send("DELETE", `/containers/${id}`, { query: { force: 1, v: 1 }, signal });
  } catch (error) {
    // 404: it is gone; 409: somebody is removing it.
    if (!isEngineStatus(error, 404, 409)) throw error;
  }
}
