/** A Kubernetes API to put the same question to: the real one, and ours. */
import type { IncomingHttpHeaders } from "node:http";
import type { TestContext } from "node:test";
import { startFace, token } from "../../src/kube/server/http/testing.ts";

export interface KubeCall {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export class KubeReply {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;

  constructor(code: number, headers: IncomingHttpHeaders, bytes: Buffer) {
    this.code = code;
    this.headers = headers;
    this.bytes = bytes;
  }

  get json(): Record<string, unknown> {
    try {
      return JSON.parse(this.bytes.toString()) as Record<string, unknown>;
    } catch {
      return { text: this.bytes.toString() };
    }
  }
}

export interface KubeApi {
  call(call: KubeCall): Promise<KubeReply>;
}

/** The embedded API server over an empty cluster in memory; gone after the test. */
export async function startOwnApi(t: TestContext): Promise<KubeApi> {
  const app = await startFace(t);
  return {
    async call({ method = "GET", path, body, headers = {} }) {
      const reply = await app.inject({
        method,
        url: `/kube${path}`,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { payload: body }),
      });
      return new KubeReply(reply.statusCode, reply.headers as IncomingHttpHeaders, reply.rawPayload);
    },
  };
}
