import assert from "node:assert/strict";
import { test } from "node:test";
import { parseImageReference } from "#images";
import { loginsFor } from "./registry-logins.ts";

const cases: { name: string; image: string; registries: string[]; want: string[] }[] = [
  { name: "a host fits its images", image: "reg.test/a:1", registries: ["reg.test"], want: ["reg.test"] },
  { name: "another host does not", image: "reg.test/a:1", registries: ["other.test"], want: [] },
  { name: "a host is no prefix of a longer one", image: "reg.test.evil/a", registries: ["reg.test"], want: [] },
  {
    name: "a login for a path comes before the one for its host",
    image: "reg.test/team/a",
    registries: ["reg.test", "https://reg.test/team"],
    want: ["https://reg.test/team", "reg.test"],
  },
  { name: "a login for another path does not fit", image: "reg.test/x/a", registries: ["reg.test/team"], want: [] },
  {
    name: "the port counts",
    image: "reg.test:5000/a",
    registries: ["reg.test", "reg.test:5000"],
    want: ["reg.test:5000"],
  },
  { name: "a star is one label", image: "a.reg.test/x", registries: ["*.reg.test", "*.test"], want: ["*.reg.test"] },
  {
    name: "a star stands inside a label too",
    image: "eu-1.reg.test/x",
    registries: ["eu-*.reg.test"],
    want: ["eu-*.reg.test"],
  },
  {
    name: "the address that docker login writes is Docker Hub",
    image: "nginx:1",
    registries: ["https://index.docker.io/v1/"],
    want: ["https://index.docker.io/v1/"],
  },
];

for (const { name, image, registries, want } of cases) {
  test(name, () => {
    const logins = registries.map((registry) => ({ registry, username: "u", password: "p" }));
    const found = loginsFor(parseImageReference(image), logins);
    assert.deepEqual(
      found.map(({ registry }) => registry),
      want,
    );
  });
}
