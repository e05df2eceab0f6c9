/**
 * Every state of a Rollout that was ever committed, in order: a watch that goes on from the last version it saw when the
 * server was away. So a test can say that no step was taken twice, not only that all were taken.
 */
import type { Rollout } from "#api";
import type { Tidegate } from "./start-tidegate.ts";

export interface RolloutLog extends AsyncDisposable {
  readonly states: readonly Rollout[];
}

const reconnectMs = 20;

export function followRollout(tidegate: Tidegate, namespace: string): RolloutLog {
  const states: Rollout[] = [];
  const stop = new AbortController();
  const following = keepWatching(tidegate, namespace, states, stop.signal);
  return {
    states,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
    },
  };
}

async function keepWatching(
  tidegate: Tidegate,
  namespace: string,
  states: Rollout[],
  signal: AbortSignal,
): Promise<void> {
  let version = "0";
  while (!signal.aborted) {
    try {
      for await (const { type, object } of watch(tidegate, namespace, version, signal)) {
        if (type === "ERROR") throw new Error(`The watch of rollouts was refused: ${JSON.stringify(object)}`);
        version = object.metadata.resourceVersion ?? version;
        if (type !== "BOOKMARK") states.push(object);
      }
    } catch (error) {
      // A server that is away breaks the connection with a TypeError; anything else is a finding.
      if (!signal.aborted && !(error instanceof TypeError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, reconnectMs));
  }
}

interface WatchEvent {
  readonly type: string;
  readonly object: Rollout;
}

async function* watch(
  { url, adminToken }: Tidegate,
  namespace: string,
  version: string,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent> {
  const path = `/kube/apis/argoproj.io/v1alpha1/namespaces/${namespace}/rollouts`;
  const query = `watch=true&resourceVersion=${version}`;
  const response = await fetch(`${url}${path}?${query}`, {
    headers: { authorization: `Bearer ${adminToken}` },
    signal,
  });
  if (!response.ok) throw new Error(`The watch of rollouts answered ${response.status}: ${await response.text()}`);
  const decoder = new TextDecoder();
  let buffer = "";
  for await (const chunk of response.body ?? []) {
    const lines = (buffer + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n");
    buffer = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as WatchEvent;
  }
}
