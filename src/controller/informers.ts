import { apiVersionOf, type KubeObject, type ResourceType } from "#api";
import { TaskGroup } from "#lib";
import { Informer, type InformerOptions } from "./informer.ts";

/** One informer a kind, shared by all controllers of a process. */
export class Informers implements AsyncDisposable {
  readonly #options: InformerOptions;
  readonly #informers = new Map<string, Informer<never>>();
  readonly #tasks: TaskGroup;

  constructor(options: InformerOptions) {
    this.#options = options;
    this.#tasks = new TaskGroup((error, name) => options.log.error("Informer ended", { name, error }));
  }

  /** The kind's informer, started at the first call. */
  for<T extends KubeObject>(type: ResourceType<T>): Informer<T> {
    const key = `${apiVersionOf(type)}/${type.plural}`;
    const known = this.#informers.get(key);
    if (known !== undefined) return known as unknown as Informer<T>;
    const informer = new Informer(type, this.#options);
    this.#informers.set(key, informer as unknown as Informer<never>);
    this.#tasks.start(key, (signal) => informer.run(signal));
    return informer;
  }

  /** Resolves when every informer asked for so far has its first list. */
  async synced(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.synced()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }
}
