/** Story: somebody without a token, somebody with too small a one, and somebody with a dashboard, all with curl. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { deployment, service } from "../support/manifests.ts";
import { skipWithout } from "../support/needs.ts";
import { run } from "../support/run-command.ts";
import { type Route, routesIn } from "../support/route-list.ts";
import { pushImage } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { countBodies, untilAnswer, visit } from "../support/traffic.ts";
import { newRepository } from "../support/work-copy.ts";

const skip = skipWithout("curl") || skipWithout("skopeo") || skipWithout("kubectl", ["version", "--client"]);

const digest = `sha256:${"0".repeat(64)}`;

/** The faces with few routes; those of the product API are read from its sources, so that a new one is never forgotten. */
const otherRoutes: readonly Route[] = [
  { method: "GET", path: "/metrics" },
  { method: "GET", path: "/acme/web/info/refs?service=git-upload-pack" },
  { method: "GET", path: "/acme/web.git/info/refs?service=git-receive-pack" },
  { method: "POST", path: "/acme/web/git-upload-pack" },
  { method: "POST", path: "/acme/web/git-receive-pack" },
  { method: "GET", path: "/acme/nothing/info/refs?service=git-upload-pack" },
  { method: "GET", path: "/v2/" },
  { method: "GET", path: "/v2/acme/web/tags/list" },
  { method: "GET", path: "/v2/acme/web/manifests/v1" },
  { method: "HEAD", path: "/v2/acme/web/manifests/v1" },
  { method: "PUT", path: "/v2/acme/web/manifests/v1" },
  { method: "DELETE", path: "/v2/acme/web/manifests/v1" },
  { method: "GET", path: `/v2/acme/web/blobs/${digest}` },
  { method: "POST", path: "/v2/acme/web/blobs/uploads/" },
  { method: "PATCH", path: "/v2/acme/web/blobs/uploads/1" },
  { method: "GET", path: `/v2/acme/web/referrers/${digest}` },
  ...["/", "/version", "/api", "/apis", "/openapi/v2", "/openapi/v3", "/api/v1/pods"].map((path) => ({
    method: "GET",
    path: `/kube${path}`,
  })),
  { method: "GET", path: "/kube/api/v1/namespaces/default/secrets?watch=true" },
  { method: "POST", path: "/kube/api/v1/namespaces" },
  { method: "DELETE", path: "/kube/api/v1/namespaces/default" },
  { method: "PATCH", path: "/kube/apis/argoproj.io/v1alpha1/namespaces/default/rollouts/web" },
  { method: "GET", path: "/kube/api/v1/namespaces/default/pods/web/log" },
  ...["query", "query_range", "series", "labels", "label/job/values", "status/buildinfo"].map((name) => ({
    method: "GET",
    path: `/prometheus/api/v1/${name}`,
  })),
  { method: "POST", path: "/prometheus/api/v1/query" },
  // All of these are behind one door, also those that are not there.
  ...["/user", "/repos/acme/web", "/repos/acme/web/contents/README.md", "/repos/acme/web/actions/runs", "/nothing"].map(
    (path) => ({ method: "GET", path: `/api/v3${path}` }),
  ),
  { method: "POST", path: "/api/v3/repos/acme/web/statuses/main" },
  { method: "POST", path: "/api/tidegate/v1/runner/claim" },
  ...["heartbeat", "steps", "log", "complete", "abandon"].map((name) => ({
    method: "POST",
    path: `/api/tidegate/v1/runner/jobs/1/${name}`,
  })),
];

/** Webhooks are let in by their signature. */
const signedFile = "webhook-routes.ts";

const sharedPaths = ["secrets", "variables"].flatMap((kind) => [`/${kind}/:owner`, `/${kind}/:owner/:repository`]);

describe("Given a server with a repository, an image and a Deployment", { skip }, () => {
  let tidegate: Tidegate;

  before(async () => {
    tidegate = await startTidegate();
    await (await newRepository(tidegate, "acme/web")).push("First", { "README.md": "web\n" });
    const image = await pushImage(tidegate, "acme/web", "v1");
    const input = `${deployment("web", image, 2)}---\n${service("web")}`;
    await run("kubectl", ["apply", "-f", "-"], { env: tidegate.env, input });
  });
  after(() => tidegate[Symbol.asyncDispose]());

  /** Status, headers and body, by curl. */
  const curl = async (
    { method, path }: Route,
    options: { readonly token?: string; readonly args?: readonly string[] } = {},
  ): Promise<{ status: number; headers: string; body: string }> => {
    const auth = options.token === undefined ? [] : ["--header", `authorization: Bearer ${options.token}`];
    const body =
      method === "GET" || method === "HEAD" ? [] : ["--data", "{}", "--header", "content-type: application/json"];
    const verb = method === "HEAD" ? ["--head"] : ["--request", method];
    const args = ["--silent", "--include", "--max-time", "5", ...verb, ...body, ...auth, ...(options.args ?? [])];
    const { stdout } = await run("curl", [...args, tidegate.url + path], { env: tidegate.env });
    const [headers = "", ...rest] = stdout.split("\r\n\r\n");
    return { status: Number(/^HTTP\/1.1 (\d+)/.exec(headers)?.[1]), headers, body: rest.join("\r\n\r\n") };
  };

  test("when somebody has no token or a wrong one, then nothing answers but health", async () => {
    assert.equal((await curl({ method: "GET", path: "/healthz" })).body, '{"status":"ok"}');
    assert.equal((await curl({ method: "GET", path: "/kube/healthz" })).body, "ok");
    const product = await routesIn("src/server/api", "/api/tidegate/v1", [signedFile], { path: sharedPaths });
    assert.ok(product.length >= 30, `only ${product.length} routes of the product API were found`);
    for (const route of [...otherRoutes, ...product]) {
      for (const options of [{}, { token: "tg_wrong" }]) {
        const { status, body } = await curl(route, options);
        assert.equal(status, 401, `${route.method} ${route.path} answered ${status}: ${body}`);
        assert.ok(!/acme|web|default/.test(body.replaceAll("/kube/apis", "")), `${route.path} tells too much: ${body}`);
      }
    }
  });

  test("when somebody opens the console without a session, then it says how to log in, and a login link works once", async () => {
    for (const path of ["/", "/runs/1", "/applications/argocd/shop"]) {
      const { status, body } = await curl({ method: "GET", path });
      assert.equal(status, 401, path);
      assert.match(body, /tidegate token login/);
    }
    const { url } = await tidegate.api<{ url: string }>("/login-codes", { method: "POST", body: {} });
    const login = { method: "GET", path: url.slice(tidegate.url.length) };
    const first = await curl(login);
    const cookie = /^set-cookie: (tidegate_session=[^;]+); Path=\/; HttpOnly; SameSite=Lax/im.exec(first.headers)?.[1];
    assert.equal(first.status, 303);
    assert.equal((await curl(login)).status, 401);
    const list = { method: "GET", path: "/api/tidegate/v1/runs" };
    assert.equal((await curl(list, { args: ["--cookie", cookie ?? ""] })).status, 200);
    const page = await curl({ method: "GET", path: "/" }, { args: ["--cookie", cookie ?? ""] });
    // Without a build of the console the page says how to make one.
    assert.ok(page.status === 200 || page.status === 503, `the console answered ${page.status}`);
    const stop = { method: "POST", path: "/api/tidegate/v1/login-codes" };
    const args = ["--cookie", cookie ?? "", "--header", "sec-fetch-site: cross-site"];
    assert.equal((await curl(stop, { args })).status, 401);
  });

  test("when a token has one scope, then it opens that face only and for its verb only; revoked, none", async () => {
    const paths: Readonly<Record<string, Route>> = {
      api: { method: "GET", path: "/api/tidegate/v1/runs" },
      kube: { method: "GET", path: "/kube/api/v1/namespaces/default/pods" },
      metrics: { method: "GET", path: "/prometheus/api/v1/query?query=up" },
      git: { method: "GET", path: "/acme/web/info/refs?service=git-upload-pack" },
    };
    for (const area of Object.keys(paths)) {
      const body = { name: area, scopes: [`${area}:read`] };
      const { id, secret } = await tidegate.api<{ id: string; secret: string }>("/tokens", { method: "POST", body });
      for (const [other, route] of Object.entries(paths)) {
        const { status } = await curl(route, { token: secret });
        if (other === area) assert.equal(status, 200, `${area}:read opens ${route.path}`);
        // Who may not read a repository is not told that it exists.
        else assert.equal(status, other === "git" ? 404 : 403, `${area}:read must not open ${route.path}`);
      }
      await tidegate.api(`/tokens/${id}`, { method: "DELETE" });
      assert.equal((await curl(paths[area] as Route, { token: secret })).status, 401, `revoked ${area}`);
    }
    const body = { name: "reader", scopes: ["api:read", "kube:read"] };
    const { secret } = await tidegate.api<{ secret: string }>("/tokens", { method: "POST", body });
    for (const path of ["/api/tidegate/v1/repositories", "/api/tidegate/v1/system/stop", "/kube/api/v1/namespaces"]) {
      assert.equal((await curl({ method: "POST", path }, { token: secret })).status, 403, path);
    }
    assert.equal((await curl({ method: "GET", path: "/api/tidegate/v1/tokens" }, { token: secret })).status, 403);
  });

  test("when requests have been served, then a Prometheus query counts them by service and status", async () => {
    const host = "web.default.localhost";
    await untilAnswer(tidegate, host, ({ status }) => status === 200);
    await countBodies(tidegate, host, 40);
    for (let sent = 0; sent < 5; sent++) await visit(tidegate, host, "/fail");
    const query = 'sum by (code) (tidegate_router_requests_total{service="web",namespace="default"})';
    const counted = await scraped(async () => {
      const route = { method: "GET", path: `/prometheus/api/v1/query?query=${encodeURIComponent(query)}` };
      const { body } = await curl(route, { token: tidegate.adminToken });
      const { data } = JSON.parse(body) as {
        data: { resultType: string; result: { metric: { code: string }; value: [number, string] }[] };
      };
      assert.equal(data.resultType, "vector");
      const byCode = Object.fromEntries(data.result.map(({ metric, value }) => [metric.code, Number(value[1])]));
      return byCode["500"] === 5 ? byCode : undefined;
    });
    assert.ok((counted["200"] ?? 0) >= 41, JSON.stringify(counted));
    const own = await curl({ method: "GET", path: "/metrics" }, { token: tidegate.adminToken });
    assert.match(own.body, /^# TYPE \w+ (counter|gauge)/m);
  });
});

/** Samples arrive with the next scrape, which nobody announces. */
async function scraped<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let attempt = 1; attempt <= 50; attempt++) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("The samples did not arrive within 10 s");
}
