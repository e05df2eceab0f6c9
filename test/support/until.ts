/** Waiting on what the server announces, for tests: no polling, no sleeping. */
import type { Tidegate } from "./start-tidegate.ts";

const defaultSeconds = 60;

/**
 * Calls `look` at once and after each change that the server announces, until it returns something; that is returned.
 * Fails with the last thing `look` threw, or that it never returned anything, after `seconds`.
 */
export async function until<T>(
  tidegate: Tidegate,
  what: string,
  look: () => Promise<T | undefined>,
  seconds = defaultSeconds,
): Promise<T> {
  const deadline = AbortSignal.timeout(seconds * 1000);
  let last: unknown = "nothing of the kind was seen";
  try {
    for await (const _change of changes(tidegate, deadline)) {
      try {
        const found = await look();
        if (found !== undefined) return found;
      } catch (error) {
        last = error;
      }
    }
  } catch (error) {
    if (!deadline.aborted) throw error;
  }
  throw new Error(`Waited ${seconds} s for ${what}`, { cause: last });
}

async function* changes(tidegate: Tidegate, signal: AbortSignal): AsyncGenerator<void> {
  const headers = { authorization: `Bearer ${tidegate.adminToken}` };
  const response = await fetch(`${tidegate.url}/api/tidegate/v1/events`, { headers, signal });
  if (!response.ok) throw new Error(`The events answered ${response.status}`);
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    if (decoder.decode(chunk as Uint8Array, { stream: true }).includes("event: ")) yield;
  }
}
