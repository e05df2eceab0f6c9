import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { parseFlavor, parseImages, parseTagRules } from "./options.ts";
import { planMetadata, type ImageMetadata, type MetadataFacts } from "./plan-metadata.ts";

const facts: MetadataFacts = {
  eventName: "push",
  ref: "refs/heads/main",
  sha: "860c1904a1ce19322e91ac35af1ab07466440c37",
  shortShaLength: 7,
  baseRef: "",
  defaultBranch: "main",
  now: Temporal.Instant.from("2026-03-04T05:06:07Z"),
  commitDate: Temporal.Instant.from("2026-03-01T23:30:00Z"),
  repository: { name: "app", description: "", url: "http://h/o/app", license: "MIT" },
};

function plan(tags: string, more: Partial<MetadataFacts> = {}, flavor = "", images = ["r/app"]): ImageMetadata {
  const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");
  const request = { images, rules: parseTagRules(lines(tags)), flavor: parseFlavor(lines(flavor)), labels: [] };
  return planMetadata(request, { ...facts, ...more });
}

const branch = { ref: "refs/heads/feature/My Branch" };
const tag = { ref: "refs/tags/v1.2.3" };
const pull = { ref: "refs/pull/7/merge", eventName: "pull_request" };
const cases: readonly {
  name: string;
  tags: string;
  facts?: Partial<MetadataFacts>;
  flavor?: string;
  want: readonly string[];
}[] = [
  { name: "the defaults name a branch", tags: "", want: ["main"] },
  { name: "the defaults name a tag, and latest", tags: "", facts: tag, want: ["v1.2.3", "latest"] },
  { name: "the defaults name a pull request", tags: "", facts: pull, want: ["pr-7"] },
  {
    name: "the defaults name a schedule before the branch",
    tags: "",
    facts: { eventName: "schedule" },
    want: ["nightly", "main"],
  },
  {
    name: "what a tag cannot hold becomes a hyphen",
    tags: "type=ref,event=branch",
    facts: branch,
    want: ["feature-My-Branch"],
  },
  { name: "a short and a long sha", tags: "type=sha\ntype=sha,format=long,prefix=", want: ["sha-860c190", facts.sha] },
  {
    name: "raw comes before sha whatever their order",
    tags: "type=sha,prefix=,format=short\ntype=raw,value=latest",
    want: ["latest", "860c190"],
  },
  {
    name: "a priority changes that",
    tags: "type=sha,prefix=,priority=300\ntype=raw,value=latest",
    want: ["860c190", "latest"],
  },
  { name: "a bare word is a raw tag", tags: "one\ntype=raw,two", want: ["one", "two"] },
  {
    name: "versions by pattern",
    tags: "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=semver,pattern=v{{major}}",
    facts: tag,
    want: ["1.2.3", "1.2", "v1", "latest"],
  },
  {
    name: "a pre-release is named whole and moves no latest",
    tags: "type=semver,pattern={{major}}.{{minor}}\ntype=semver,pattern={{major}}",
    facts: { ref: "refs/tags/v2.0.0-rc.1" },
    want: ["2.0.0-rc.1"],
  },
  {
    name: "a tag that is no version gives nothing",
    tags: "type=semver,pattern={{version}}",
    facts: { ref: "refs/tags/nightly" },
    want: [],
  },
  {
    name: "a version of Python by its parts",
    tags: "type=pep440,pattern={{version}},value=v1.2.3\ntype=pep440,pattern={{major}}.{{minor}},value=1.2\ntype=pep440,pattern={{patch}},value=1",
    want: ["1.2.3", "1.2", "0", "latest"],
  },
  {
    name: "a version of Python that is not final is named whole, as PEP 440 writes it, and moves no latest",
    tags: "type=pep440,pattern={{major}},value=1!2.0-Alpha\ntype=pep440,pattern={{raw}},value=2.0-Alpha\ntype=pep440,pattern={{major}},value=1.0-1\ntype=pep440,pattern={{major}},value=1.0rev2.dev",
    want: ["1-2.0a0", "2.0-Alpha", "1.0.post1", "1.0.post2.dev0"],
  },
  {
    name: "a part of the tag is the version",
    tags: "type=semver,pattern={{version}},match=app-(.*),value=app-1.2.3\ntype=pep440,pattern={{version}},match=x(.),value=2.0",
    want: ["1.2.3", "2.0", "latest"],
  },
  { name: "a version by value", tags: "type=semver,pattern={{raw}},value=v3.1.0", want: ["v3.1.0", "latest"] },
  { name: "a match with a group", tags: "type=match,pattern=v(\\d+),group=1", facts: tag, want: ["1", "latest"] },
  { name: "a match with flags", tags: "type=match,pattern=/V\\d.\\d/i", facts: tag, want: ["v1.2", "latest"] },
  { name: "edge on the default branch only", tags: "type=edge", want: ["edge"] },
  { name: "edge elsewhere", tags: "type=edge", facts: branch, want: [] },
  { name: "edge on a named branch", tags: "type=edge,branch=dev", facts: { ref: "refs/heads/dev" }, want: ["edge"] },
  {
    name: "rules can be switched off",
    tags: "type=raw,value=a,enable={{is_default_branch}}\ntype=raw,value=b,enable=false",
    facts: branch,
    want: [],
  },
  {
    name: "expressions in values",
    tags: "type=raw,value={{branch}}-{{sha}}-{{date 'YYYYMMDD-HHmm' tz='Asia/Tokyo'}}-{{commit_date 'DD'}}",
    want: ["main-860c190-20260304-1406-01"],
  },
  {
    name: "flavors decorate",
    tags: "type=ref,event=tag",
    facts: tag,
    flavor: "prefix=p-,onlatest=true\nsuffix=-s",
    want: ["p-v1.2.3-s", "p-latest"],
  },
  {
    name: "a rule's own prefix wins over the flavor's",
    tags: "type=raw,value=a,prefix=x-",
    flavor: "prefix=p-\nlatest=true",
    want: ["x-a", "latest"],
  },
  { name: "latest can be forbidden", tags: "", facts: tag, flavor: "latest=false", want: ["v1.2.3"] },
];
for (const { name, tags, facts: more, flavor, want } of cases) {
  test(`image tags: ${name}`, () => {
    const result = plan(tags, more, flavor);
    deepEqual(result.tagNames, want);
    deepEqual(
      result.tags,
      want.map((one) => `r/app:${one}`),
    );
    equal(result.version, want[0] ?? "");
  });
}

test("what is no version is warned about", () => {
  const rules =
    "type=semver,pattern={{version}},value=one\ntype=pep440,pattern={{version}},value=two\ntype=semver,pattern={{version}},match=x(.),value=1.2.3";
  deepEqual(plan(rules).warnings, [
    "one is not a valid semver. More info: https://semver.org/",
    "two does not conform to PEP 440. More info: https://www.python.org/dev/peps/pep-0440",
    "x(.) does not match 1.2.3.",
  ]);
});

test("labels say where the image comes from, given ones win", () => {
  const request = {
    images: [],
    rules: parseTagRules([]),
    flavor: parseFlavor([]),
    labels: ["org.opencontainers.image.title=Shop", "x=y=z"],
  };
  const labels = Object.fromEntries(planMetadata(request, facts).labels);
  equal(labels["org.opencontainers.image.title"], "Shop");
  equal(labels["x"], "y=z");
  equal(labels["org.opencontainers.image.revision"], facts.sha);
  equal(labels["org.opencontainers.image.created"], "2026-03-01T23:30:00.000Z");
});

test("images are lower case, in either form, and can be switched off", () => {
  deepEqual(parseImages(["R/A,r/b"]), ["r/a", "r/b"]);
  deepEqual(parseImages(["name=r/a", "name=r/b,enable=false"]), ["r/a"]);
});

test("rules that are not understood are refused with what is offered", () => {
  throws(() => parseTagRules(["type=nope"]), /Unknown tag type "nope"/);
  throws(() => parseTagRules(["type=ref"]), /Missing "event"/);
  throws(() => plan("type=raw,value={{nope}}"), /Unknown expression "\{\{nope\}\}"/);
  throws(() => parseFlavor(["colour=red"]), /Unknown flavor "colour=red"/);
});
