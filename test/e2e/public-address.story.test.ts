/** Story: something with TLS is in front of the server, and what people and other machines are handed names that. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { skipWithout } from "../support/needs.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { newRepository } from "../support/work-copy.ts";

const publicUrl = "https://gate.example.com";
const workflow = "on: push\njobs: { test: { runs-on: ubuntu-latest, steps: [{ run: 'echo $GITHUB_API_URL' }] } }\n";

describe("a server behind a proxy", { skip: skipWithout("git") }, () => {
  let tidegate: Tidegate;
  let said = "";

  before(async () => {
    tidegate = await startTidegate({ env: { TIDEGATE_PUBLIC_URL: `${publicUrl}/` } });
    const copy = await newRepository(tidegate, "acme/shop");
    ({ said } = await copy.push("Begin", { ".github/workflows/test.yml": workflow, "a.txt": "a\n" }));
    await copy.push("More", { "a.txt": "b\n" });
  });
  after(async () => await tidegate[Symbol.asyncDispose]());

  async function commits(
    headers: Readonly<Record<string, string>>,
  ): Promise<{ page: string; api: string; link: string }> {
    const answer = await fetch(`${tidegate.url}/api/v3/repos/acme/shop/commits?per_page=1`, {
      headers: { authorization: `Bearer ${tidegate.adminToken}`, ...headers },
    });
    const [commit] = (await answer.json()) as [{ html_url: string; url: string }];
    return { page: commit.html_url, api: commit.url, link: answer.headers.get("link") ?? "" };
  }

  test("is named so to who pushes, and to relying parties of its tokens", async () => {
    assert.match(said, /https:\/\/gate\.example\.com\/runs\/1\b/);
    const answer = await fetch(`${tidegate.url}/.well-known/openid-configuration`);
    const { issuer, jwks_uri: keys } = (await answer.json()) as { issuer: string; jwks_uri: string };
    assert.deepEqual([issuer, keys], [publicUrl, `${publicUrl}/.well-known/jwks`]);
  });

  test("links pages by that name, and the API by the address that was asked", async () => {
    const inside = await commits({});
    assert.ok(inside.page.startsWith(`${publicUrl}/acme/shop/commit/`), inside.page);
    assert.ok(inside.api.startsWith(`${tidegate.url}/api/v3/`), inside.api);
    assert.ok(inside.link.startsWith(`<${tidegate.url}/api/v3/`), inside.link);
    const outside = await commits({ "x-forwarded-host": "gate.example.com" });
    assert.ok(outside.api.startsWith(`${publicUrl}/api/v3/`), outside.api);
    assert.ok(outside.link.startsWith(`<${publicUrl}/api/v3/`), outside.link);
    const stranger = await commits({ "x-forwarded-host": "evil.example" });
    assert.ok(stranger.link.startsWith(`<${tidegate.url}/api/v3/`), stranger.link);
  });

  test("is refused with a path, which nothing here could keep", async () => {
    const refused = await tidegate.cli(["up", "--public-url", "https://example.com/gate"], 1);
    assert.match(refused.stderr, /TIDEGATE_PUBLIC_URL is http:\/\/ or https:\/\/ with a host, and no path/);
  });
});
