/** Requests through the traffic router, as a browser would send them, for tests. */
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import type { Tidegate } from "./start-tidegate.ts";

export interface Answer {
  /** 0 when there was none. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request to `host` on a connection of its own. */
export function visit(tidegate: Tidegate, host: string, path = "/", agent?: Agent): Promise<Answer> {
  return new Promise((resolve) => {
    const none: Answer = { status: 0, headers: {}, body: "" };
    const options = { host: "127.0.0.1", port: tidegate.trafficPort, path, headers: { host }, timeout: 10_000 };
    const outgoing = request({ ...options, agent: agent ?? false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      response.on("error", () => resolve(none));
    });
    outgoing.on("timeout", () => outgoing.destroy());
    outgoing.on("error", () => resolve(none));
    outgoing.end();
  });
}

/** How many of `count` requests got which body; what failed counts under its status. */
export async function countBodies(tidegate: Tidegate, host: string, count: number): Promise<Record<string, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const seen: Record<string, number> = {};
  for (let sent = 0; sent < count; sent++) {
    const { status, body } = await visit(tidegate, host, "/", agent);
    const key = status === 200 ? body.trim() : `status ${status}`;
    seen[key] = (seen[key] ?? 0) + 1;
  }
  agent.destroy();
  return seen;
}

/** Waits for an answer that `accept`s, asking again right away: what a customer without patience does. */
export async function untilAnswer(
  tidegate: Tidegate,
  host: string,
  accept: (answer: Answer) => boolean,
  seconds = 30,
): Promise<Answer> {
  const deadline = AbortSignal.timeout(seconds * 1000);
  const agent = new Agent({ keepAlive: true });
  let last: Answer | undefined;
  while (!deadline.aborted) {
    last = await visit(tidegate, host, "/", agent);
    if (accept(last)) {
      agent.destroy();
      return last;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  agent.destroy();
  throw new Error(`Waited ${seconds} s; the last answer of ${host} was ${last?.status} ${JSON.stringify(last?.body)}`);
}

export interface Customers extends AsyncDisposable {
  readonly answers: readonly Answer[];
  /** Answers of the server's fault, and requests without any. */
  failed(): number;
}

/** Requests are sent in small bunches: a timer for each would be what is measured. */
const gapMs = 20;

/** Keeps asking, by default 50 times a second, until disposed; a slow answer delays no other request. */
export function keepCustomers(tidegate: Tidegate, host: string, options: { perSecond?: number } = {}): Customers {
  const perBunch = ((options.perSecond ?? 1000 / gapMs) * gapMs) / 1000;
  const agent = new Agent({ keepAlive: true, maxSockets: Math.max(8, perBunch * 4) });
  const answers: Answer[] = [];
  const open = new Set<Promise<void>>();
  const began = performance.now();
  let sent = 0;
  const ask = (): void => {
    sent += 1;
    const asked = visit(tidegate, host, "/", agent).then((answer) => {
      answers.push(answer);
      open.delete(asked);
    });
    open.add(asked);
  };
  const timer = setInterval(() => {
    // What a late timer missed is made up for, so that the rate is what was asked for.
    const due = Math.floor(((performance.now() - began) / gapMs) * perBunch);
    Array.from({ length: due - sent }, ask);
  }, gapMs);
  return {
    answers,
    failed: () => answers.filter(({ status }) => status === 0 || status >= 500).length,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await Promise.all(open);
      agent.destroy();
    },
  };
}
