import { equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { parseChallenge } from "./registry/challenge.ts";
import { registryBaseUrl } from "./registry/address.ts";
import { formatImageReference, parseImageReference } from "./reference.ts";

const digest = `sha256:${"a".repeat(64)}`;
const names: readonly [string, string][] = [
  ["node", "docker.io/library/node"],
  ["node:20-slim", "docker.io/library/node:20-slim"],
  ["acme/shop", "docker.io/acme/shop"],
  ["localhost:5000/a/b:v1", "localhost:5000/a/b:v1"],
  ["tidegate.localhost:7070/acme/shop:v1", "tidegate.localhost:7070/acme/shop:v1"],
  [`ghcr.io/a/b@${digest}`, `ghcr.io/a/b@${digest}`],
  [`ghcr.io/a/b:t@${digest}`, `ghcr.io/a/b:t@${digest}`],
  ["index.docker.io/library/node", "docker.io/library/node"],
];
for (const [given, want] of names) {
  test(`the image name ${given} means ${want}`, () => {
    equal(formatImageReference(parseImageReference(given)), want);
  });
}

for (const bad of ["", "Acme/Shop", "a:b:c/", "a/b:", "ghcr.io/", "a@sha256:12", "a b", "-x.io/y"]) {
  test(`the image name "${bad}" is refused`, () => {
    throws(() => parseImageReference(bad), { code: "images/bad-reference" });
  });
}

test("loopback hosts speak http by address, others https", () => {
  equal(registryBaseUrl("tidegate.localhost:7070"), "http://127.0.0.1:7070");
  equal(registryBaseUrl("127.0.0.1:5000"), "http://127.0.0.1:5000");
  equal(registryBaseUrl("ghcr.io"), "https://ghcr.io");
  equal(registryBaseUrl("notlocalhost.com:5000"), "https://notlocalhost.com:5000");
  equal(registryBaseUrl("docker.io"), "https://registry-1.docker.io");
});

test("a Bearer challenge is read with its quoted commas", () => {
  const header = 'Bearer realm="https://h/token",service="r",scope="repository:a/b:pull,push"';
  const challenge = parseChallenge(header);
  equal(challenge?.scheme === "bearer" && challenge.scope, "repository:a/b:pull,push");
  equal(parseChallenge('Basic realm="x"')?.scheme, "basic");
  equal(parseChallenge("Negotiate"), undefined);
});
