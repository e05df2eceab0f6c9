/** Story: images come and go with skopeo and curl, and run. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { skipWithout } from "../support/needs.ts";
import { type Finished, run } from "../support/run-command.ts";
import { imageLayout, pushImage } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { untilAnswer } from "../support/traffic.ts";

const skip = skipWithout("skopeo") || skipWithout("curl") || skipWithout("kubectl", ["version", "--client"]);

describe("Given a registry and a token for one repository", { skip }, () => {
  let tidegate: Tidegate;
  let host: string;
  let token: string;

  before(async () => {
    tidegate = await startTidegate();
    host = `127.0.0.1:${tidegate.controlPort}`;
    const body = { name: "skopeo", scopes: ["registry:write:acme/web"] };
    token = (await tidegate.api<{ secret: string }>("/tokens", { method: "POST", body })).secret;
  });
  after(() => tidegate[Symbol.asyncDispose]());

  const skopeo = (args: readonly string[], code = 0, input?: string): Promise<Finished> =>
    run("skopeo", args, { env: tidegate.env, code, ...(input === undefined ? {} : { input }) });
  const login = ["--username", "ada", "--password-stdin", "--tls-verify=false"];
  /** Credentials are found in the login that a test made before. */
  const authfile = (): string => `--authfile=${join(tidegate.scratch, "auth.json")}`;

  test("when skopeo logs in with a wrong token, then it is refused; with the right one, it is let in", async () => {
    const { stderr } = await skopeo(["login", authfile(), ...login, host], 1, "tg_wrong");
    assert.match(stderr, /unauthorized|invalid username\/password/i);
    const { stdout } = await skopeo(["login", authfile(), ...login, host], 0, token);
    assert.match(stdout, /Login Succeeded/);
  });

  test("when an image is copied in and out again, then it is the same image", async () => {
    const layout = await imageLayout(tidegate, "v1");
    const image = `docker://${host}/acme/web:v1`;
    await skopeo(["copy", authfile(), "--dest-tls-verify=false", `oci:${layout}:latest`, image]);
    const back = join(tidegate.scratch, "back");
    await skopeo(["copy", authfile(), "--src-tls-verify=false", image, `oci:${back}:latest`]);
    const digestIn = async (folder: string): Promise<string> => {
      const index = JSON.parse(await readFile(join(folder, "index.json"), "utf8")) as {
        manifests: { digest: string }[];
      };
      return index.manifests[0]?.digest ?? "";
    };
    assert.equal(await digestIn(back), await digestIn(layout));
  });

  test("when it is tagged once more, then both tags are listed and inspect shows what it is", async () => {
    const name = `${host}/acme/web`;
    const tls = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    await skopeo(["copy", authfile(), ...tls, `docker://${name}:v1`, `docker://${name}:stable`]);
    const { stdout } = await skopeo(["list-tags", authfile(), "--tls-verify=false", `docker://${name}`]);
    assert.deepEqual((JSON.parse(stdout) as { Tags: string[] }).Tags, ["stable", "v1"]);
    const inspected = await skopeo(["inspect", authfile(), "--tls-verify=false", `docker://${name}:stable`]);
    const { Os, Layers, Digest } = JSON.parse(inspected.stdout) as { Os: string; Layers: string[]; Digest: string };
    assert.deepEqual([Os, Layers.length], ["linux", 1]);
    assert.match(Digest, /^sha256:[\da-f]{64}$/);
  });

  test("when the token is for another repository, then nothing is pushed there", async () => {
    const layout = await imageLayout(tidegate, "v1");
    const other = `docker://${host}/acme/other:v1`;
    const args = ["copy", authfile(), "--dest-tls-verify=false", `oci:${layout}:latest`, other];
    const { stderr } = await skopeo(args, 1);
    assert.match(stderr, /denied|unauthorized|forbidden/i);
  });

  test("when the image is named in a Deployment, then it runs and answers through the router", async () => {
    const image = await pushImage(tidegate, "acme/web", "v2");
    const kubectl = (args: readonly string[]): Promise<Finished> => run("kubectl", args, { env: tidegate.env });
    await kubectl(["create", "deployment", "web", `--image=${image}`, "--port=8080"]);
    await kubectl(["expose", "deployment", "web", "--port=80", "--target-port=8080"]);
    await kubectl(["rollout", "status", "deployment/web", "--timeout=60s"]);
    const answer = await untilAnswer(tidegate, "web.default.localhost", ({ status }) => status === 200);
    assert.equal(answer.body, "v2\n");
  });

  test("when a tag is deleted, then it is gone and the other tags stay", async () => {
    await skopeo([
      "copy",
      authfile(),
      "--src-tls-verify=false",
      "--dest-tls-verify=false",
      `docker://${host}/acme/web:v2`,
      `docker://${host}/acme/web:v3`,
    ]);
    await skopeo(["delete", authfile(), "--tls-verify=false", `docker://${host}/acme/web:v1`]);
    const { stderr } = await skopeo(["inspect", authfile(), "--tls-verify=false", `docker://${host}/acme/web:v1`], 1);
    assert.match(stderr, /manifest unknown/);
    const { stdout } = await skopeo(["list-tags", authfile(), "--tls-verify=false", `docker://${host}/acme/web`]);
    assert.deepEqual((JSON.parse(stdout) as { Tags: string[] }).Tags, ["v2", "v3"]);
  });

  test("when curl speaks the protocol by hand, then blobs come in chunks, are found and read in ranges", async () => {
    const curl = async (args: readonly string[]): Promise<string> => {
      const user = ["--user", `ada:${tidegate.adminToken}`];
      return (
        await run("curl", ["--silent", "--show-error", "--fail-with-body", ...user, ...args], { env: tidegate.env })
      ).stdout;
    };
    const v2 = `${tidegate.url}/v2`;
    assert.equal(await curl([`${v2}/`]), "{}");
    const started = await curl(["--include", "--request", "POST", `${v2}/acme/raw/blobs/uploads/`]);
    const location = /^location: (\S+)/im.exec(started)?.[1] ?? "";
    const at = new URL(location, tidegate.url).href;
    const type = ["--header", "content-type: application/octet-stream"];
    await curl(["--request", "PATCH", ...type, "--header", "content-range: 0-4", "--data-binary", "hello", at]);
    const digest = "sha256:b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
    const closing = `${at}${at.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
    await curl(["--request", "PUT", ...type, "--header", "content-range: 5-10", "--data-binary", " world", closing]);
    assert.match(await curl(["--head", `${v2}/acme/raw/blobs/${digest}`]), /content-length: 11/i);
    assert.equal(await curl(["--header", "range: bytes=6-", `${v2}/acme/raw/blobs/${digest}`]), "world");
    assert.deepEqual(JSON.parse(await curl([`${v2}/acme/web/tags/list`])), { name: "acme/web", tags: ["v2", "v3"] });
  });
});
