import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import type { PrometheusProvider } from "#api";
import { createPrometheusMeasure } from "./prometheus.ts";

const now = Temporal.Instant.from("2026-01-01T00:00:00.5Z");
const signal = AbortSignal.timeout(20_000);

describe("the Prometheus provider", () => {
  let server: Server;
  let address = "";
  let answer: { status: number; body: string } | "hang" = "hang";
  let seen: IncomingMessage[] = [];

  before(async () => {
    server = createServer((request, response) => {
      seen.push(request);
      if (answer === "hang") return;
      const body = request.url === "/token" ? '{"access_token":"t0"}' : answer.body;
      response.writeHead(answer.status, { "content-type": "application/json" }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    seen = [];
  });

  function data(resultType: string, result: unknown): void {
    answer = {
      status: 200,
      body: JSON.stringify({ status: "success", data: { resultType, result }, warnings: ["w"] }),
    };
  }

  async function query(provider: PrometheusProvider): Promise<unknown> {
    const measure = createPrometheusMeasure({
      defaultAddress: `${address}/prometheus/`,
      defaultHeaders: () => ({ authorization: "Bearer own" }),
    });
    return await measure.query({ query: "up", ...provider }, now, signal).catch((error: Error) => error.message);
  }

  function shown(): string {
    return new URL(seen.at(-1)?.url ?? "", address).toString().slice(address.length);
  }

  it("asks our own address with our own token when the metric names none", async () => {
    data("vector", [
      { metric: {}, value: [1, "0.5"] },
      { metric: {}, value: [1, "NaN"] },
    ]);
    assert.deepEqual(await query({}), { kind: "vector", values: [0.5, Number.NaN], warnings: ["w"] });
    assert.equal(shown(), "/prometheus/api/v1/query?query=up&time=1767225600.5");
    assert.equal(seen[0]?.headers.authorization, "Bearer own");
  });

  it("gives our token to nobody else", async () => {
    data("scalar", [1, "+Inf"]);
    assert.deepEqual(await query({ address, headers: [{ key: "X-Scope-OrgID", value: "shop" }] }), {
      kind: "scalar",
      value: Number.POSITIVE_INFINITY,
      warnings: ["w"],
    });
    assert.equal(seen[0]?.headers.authorization, undefined);
    assert.equal(seen[0]?.headers["x-scope-orgid"], "shop");
  });

  it("asks for a range and takes all its samples", async () => {
    data("matrix", [
      {
        values: [
          [1, "1"],
          [2, "2"],
        ],
      },
      { values: [[1, "3"]] },
    ]);
    const rangeQuery = { start: 'now() - duration("1h")', end: "now()", step: "1m" };
    assert.deepEqual(await query({ rangeQuery }), { kind: "matrix", values: [1, 2, 3], warnings: ["w"] });
    assert.equal(shown(), "/prometheus/api/v1/query_range?query=up&start=1767222000.5&end=1767225600.5&step=60");
  });

  it("logs in with a password or a client's credentials", async () => {
    data("vector", []);
    await query({ address, authentication: { basicAuth: { username: "u", password: "p" } } });
    assert.equal(seen.at(-1)?.headers.authorization, "Basic dTpw");
    await query({ address: address.replace("http://", "http://u:p%40@") });
    assert.equal(seen.at(-1)?.headers.authorization, "Basic dTpwQA==");
    const oauth2 = { tokenUrl: `${address}/token`, clientId: "c", clientSecret: "s" };
    await query({ address, authentication: { oauth2 } });
    assert.equal(seen.at(-1)?.headers.authorization, "Bearer t0");
  });

  it("says what Prometheus says is wrong", async () => {
    answer = { status: 400, body: '{"status":"error","errorType":"bad_data","error":"parse error"}' };
    assert.equal(await query({}), "bad_data: parse error");
  });

  it("says that there was no JSON", async () => {
    answer = { status: 502, body: "<html>" };
    assert.equal(await query({}), "HTTP 502 without a JSON answer");
  });

  it("does not take a text for a number", async () => {
    data("string", [1, "x"]);
    assert.equal(await query({}), "Prometheus metric type not supported");
  });

  it("gives up after the metric's timeout", async () => {
    answer = "hang";
    assert.equal(
      await query({ address: address.replace("http://", "http://u:secret@"), timeout: 0.05 }),
      `Cannot query Prometheus at "${address}/": no answer within 0.05 s`,
    );
  });

  it("names the address that refuses", async () => {
    assert.match(
      String(await query({ address: "http://127.0.0.1:1" })),
      /^Cannot query Prometheus at "http:\/\/127\.0\.0\.1:1\/": /,
    );
    assert.match(String(await query({ address: "prometheus:9090" })), /is not a URL/);
  });
});
