import type { ServerResponse } from "node:http";

/** Aborts when the client goes before it has its answer. An answer that is out aborts nothing: nobody waits any more. */
export function clientGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}
