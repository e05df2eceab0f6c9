/** What ended containers left to say why they ended (`terminationMessagePath`), read once for each. */
import type { Pod } from "#api";
import type { ContainerRecord, PodRuntimePort } from "../ports.ts";

/** Upstream's share of the log that stands in for a message. */
const maxLogBytes = 2048;
const maxLogLines = 80;

export class LastWords {
  readonly #runtime: PodRuntimePort;
  readonly #known = new Map<string, string>();

  constructor(runtime: PodRuntimePort) {
    this.#runtime = runtime;
  }

  /** By container id. */
  get all(): ReadonlyMap<string, string> {
    return this.#known;
  }

  async read(pod: Pod, records: readonly ContainerRecord[], signal: AbortSignal): Promise<void> {
    for (const id of this.#known.keys()) if (!records.some((record) => record.id === id)) this.#known.delete(id);
    for (const record of records) {
      if (record.state.kind !== "exited" || this.#known.has(record.id)) continue;
      this.#known.set(record.id, await this.#messageOf(pod, record, signal));
    }
  }

  async #messageOf(pod: Pod, record: ContainerRecord, signal: AbortSignal): Promise<string> {
    const { containers, initContainers = [] } = pod.spec;
    const container = [...containers, ...initContainers].find(({ name }) => name === record.name);
    const path = container?.terminationMessagePath ?? "/dev/termination-log";
    const message = await this.#runtime.terminationMessage(record.id, path);
    const failed = record.state.kind === "exited" && record.state.exitCode !== 0;
    if (message !== "" || !failed || container?.terminationMessagePolicy !== "FallbackToLogsOnError") return message;
    return await this.#endOfLog(record.id, signal);
  }

  async #endOfLog(id: string, signal: AbortSignal): Promise<string> {
    let text = Buffer.alloc(0);
    const options = { follow: false, timestamps: false, tailLines: maxLogLines, signal };
    for await (const chunk of this.#runtime.logs(id, options)) {
      text = Buffer.concat([text, chunk]);
      if (text.length > maxLogBytes) text = text.subarray(text.length - maxLogBytes);
    }
    return text.toString("utf8");
  }
}
