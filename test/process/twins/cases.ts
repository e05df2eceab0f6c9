/** What official actions and their twins are tried with. */
import type { Tidegate } from "../../support/start-tidegate.ts";
import { cacheCases, restoreCases, saveCases } from "./cache-cases.ts";
import { checkoutCases, withoutMessages } from "./checkout-cases.ts";
import { downloadCases, mergeCases, uploadCases } from "./artifact-cases.ts";
import { javaCases } from "./java-cases.ts";
import { nodeCases } from "./node-cases.ts";
import { awsCases, goCases, pythonCases, scriptCases } from "./tool-cases.ts";

export interface TwinStep {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
  readonly run?: string;
}

export interface TwinCase {
  /** Of the job. */
  readonly key: string;
  readonly name: string;
  readonly uses: string;
  readonly with: Readonly<Record<string, string | number | boolean>>;
  readonly permissions?: Readonly<Record<string, string>>;
  /** A program without which it cannot be tried. */
  readonly needs?: string;
  /** A script before the action. */
  readonly before?: string;
  /** Other steps before it, of the same origin. */
  readonly steps?: readonly TwinStep[];
  /** Other steps before what it did is looked at. */
  readonly afterwards?: readonly TwinStep[];
  /** What one of both keeps, the other is to find. */
  readonly mixed?: boolean;
  /** A script after it that prints what it did. */
  readonly look: string;
  /** A script after its late stage. */
  readonly after?: string;
  /** Lines that both must have in their log. */
  readonly says: readonly RegExp[];
  /** Takes away what may differ, with its reason beside it. */
  readonly normalise?: (line: string) => string;
}

type Case = Omit<TwinCase, "key" | "uses" | "says" | "with"> &
  Partial<Pick<TwinCase, "says" | "with">> & {
    /** The first version that does so. */
    readonly since?: string;
  };

export function twinCases(tidegate: Tidegate): readonly TwinCase[] {
  const registry = `127.0.0.1:${tidegate.controlPort}`;
  return [
    ...at("actions/checkout", ["v4", "v5", "v6", "v7"], checkoutCases(tidegate.adminToken)),
    ...at("actions/setup-node", ["v4", "v5", "v6", "v7"], nodeCases),
    ...at("actions/cache", ["v4", "v5"], cacheCases),
    ...at("actions/cache/restore", ["v4", "v5"], restoreCases),
    ...at("actions/cache/save", ["v4", "v5"], saveCases),
    ...each("actions/upload-artifact", ["v4", "v5", "v6", "v7"], uploadCases),
    ...each("actions/upload-artifact/merge", ["v4", "v5", "v6", "v7"], mergeCases),
    ...each("actions/download-artifact", ["v4", "v5", "v6", "v7", "v8"], downloadCases),
    ...at("actions/setup-python", ["v5", "v6", "v7"], pythonCases),
    ...at("actions/setup-java", ["v4", "v5"], javaCases),
    ...at("actions/setup-go", ["v6", "v7"], goCases),
    ...at("actions/github-script", ["v7", "v8"], scriptCases),
    ...at("aws-actions/configure-aws-credentials", ["v4", "v6"], awsCases),
    ...at("docker/login-action", ["v3", "v4"], loginCases(registry)),
    ...at("docker/metadata-action", ["v6"], metadataCases(registry)),
  ];
}

function at(action: string, versions: readonly string[], cases: readonly Case[]): TwinCase[] {
  return versions.flatMap((version) =>
    cases
      .filter(({ since = "" }) => since <= version)
      .map((one, index) => ({
        with: {},
        says: [],
        ...one,
        key: `${action.replaceAll(/\W/g, "_")}_${version}_${index}`,
        uses: `${action}@${version}`,
      })),
  );
}

function each(action: string, versions: readonly string[], cases: (version: string) => readonly Case[]): TwinCase[] {
  return versions.flatMap((version) => at(action, [version], cases(version)).map((one) => ({ ...one, mixed: true })));
}

/** A login of ours is the job's alone, not that of the runner's user. */
function ownConfig(line: string): string {
  return /^[<>] DOCKER_CONFIG=/.test(line) ? "" : line;
}

function refused(line: string): string {
  return ownConfig(withoutMessages(line));
}

/** The official ones write into the folder of the runner's user, which jobs share. */
const ownFolder = 'echo "DOCKER_CONFIG=$RUNNER_TEMP/of-this-job" >> "$GITHUB_ENV"';

function loginCases(registry: string): readonly Case[] {
  const login = { registry, username: "ada", password: "${{ secrets.GITHUB_TOKEN }}" };
  const config = 'jq -c ".auths | keys" "${DOCKER_CONFIG:-$HOME/.docker}/config.json" 2>/dev/null || echo no login';
  const cases: readonly Case[] = [
    {
      name: "with the job's token",
      permissions: { packages: "write" },
      with: login,
      look: config,
      after: config,
      says: [/^Logging into 127\.0\.0\.1/, /^Login Succeeded!/],
      normalise: ownConfig,
    },
    {
      name: "that stays",
      permissions: { packages: "write" },
      with: { ...login, logout: false },
      look: config,
      normalise: ownConfig,
    },
    { name: "with a wrong password", with: { ...login, password: "wrong" }, look: "true", normalise: refused },
    {
      name: "several at once",
      permissions: { packages: "write" },
      with: {
        "registry-auth": [registry, registry.replace("127.0.0.1", "localhost")]
          .map((host) => `- { registry: "${host}", username: ada, password: "\${{ secrets.GITHUB_TOKEN }}" }`)
          .join("\n"),
      },
      look: config,
      after: config,
      says: [/^##\[group\]Login to localhost:/, /^Login Succeeded!/],
      normalise: ownConfig,
    },
    { name: "several at once, and one more", with: { ...login, "registry-auth": "- registry: x" }, look: "true" },
    { name: "none of several", with: { "registry-auth": "[]" }, look: "true" },
    { name: "nothing, in so many words", with: { registry: "", username: "", password: "", ecr: "" }, look: "true" },
    { name: "nobody says whether to log out", with: { ...login, logout: "" }, look: "true" },
    { name: "without a password", with: { registry, username: "ada" }, look: "true" },
    { name: "without a user", with: { registry, password: "x" }, look: "true" },
  ];
  return cases.map((one) => ({ ...one, before: ownFolder, normalise: one.normalise ?? ownConfig }));
}

function metadataCases(registry: string): readonly Case[] {
  const images = `${registry}/acme/shop\nexample.org/other`;
  const tags = [
    "type=sha",
    "type=sha,format=long,prefix=",
    "type=ref,event=branch",
    "type=raw,value=latest,enable={{is_default_branch}}",
    "type=semver,pattern={{version}},value=v1.2.3-rc.1",
    "type=semver,pattern={{major}}.{{minor}},value=v1.2.3",
    "type=edge,branch=main",
    "type=match,pattern=v(.*),value=v9,group=1",
  ].join("\n");
  // The official action says the time of the build, ours that of the commit, so that a re-run is the same image; it asks
  // the REST API for the address of the repository, which names the server as it was asked; folders have names of chance.
  const normalise = (line: string): string =>
    line
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z/g, "<time>")
      .replaceAll(/http:\/\/(?:127\.0\.0\.1|tidegate\.localhost):\d+/g, "<server>")
      .replaceAll(/<temp>\/docker-(?:actions-toolkit|metadata)-\w+\//g, "<bake>/");
  return [
    { name: "many tags", with: { images, tags, flavor: "suffix=-x,onlatest=true" }, look: "true", normalise },
    { name: "nothing but an image", with: { images: "example.org/app" }, look: "true", normalise },
    {
      name: "of what is checked out, which is a branch",
      steps: [
        { uses: "actions/checkout@v6", with: { ref: "old" } },
        { run: 'echo "DOCKER_METADATA_SHORT_SHA_LENGTH=10" >> "$GITHUB_ENV"' },
      ],
      with: {
        images: "example.org/app",
        context: "git",
        tags: "# what is built\ntype=sha\ntype=ref,event=branch\ntype=raw,value={{commit_date 'YYYYMMDD'}}-{{sha}}",
        labels: "# of ours\na=b#c",
      },
      look: "true",
      normalise,
    },
    {
      name: "of what is checked out, which is a tag",
      steps: [{ uses: "actions/checkout@v6", with: { ref: "v1.2.3" } }],
      with: { images: "example.org/app", context: "git", tags: "type=semver,pattern={{version}}\ntype=ref,event=tag" },
      look: "true",
      normalise,
    },
    {
      name: "versions of Python, and parts of tags",
      with: {
        images: "example.org/app",
        tags: [
          ...["1.2.3", "v1!2.0-Alpha", "1.0-1", "1.0rev2.dev", "2.0+Local.1", "2.0rc1", "nothing"].flatMap((value) => [
            `type=pep440,pattern={{version}},value=${value}`,
            `type=pep440,pattern={{major}}.{{minor}}.{{patch}},value=${value},prefix=p-`,
            `type=pep440,pattern={{raw}},value=${value},prefix=r-`,
          ]),
          "type=semver,pattern={{major}},match=app-(.*),value=app-3.2.1",
          "type=semver,pattern={{version}},match=x(.),value=4.5.6-rc.1+build",
          "type=semver,pattern={{version}},value=four",
          "type=match,pattern=/V(\\d+)/i,group=1,value=app/v9",
        ].join("\n"),
      },
      look: "true",
      normalise,
    },
    { name: "of a context that is none", with: { images: "a/b", context: "moon" }, look: "true", normalise },
    {
      name: "nothing, in so many words",
      with: {
        images: "Example.org/App",
        context: "",
        tags: "",
        flavor: "",
        labels: "",
        annotations: "",
        "sep-tags": "",
        "sep-labels": "",
        "sep-annotations": "",
        "bake-target": "",
      },
      look: "true",
      normalise,
    },
    {
      name: "in other words and files",
      with: {
        images: "name=example.org/a\nname=example.org/b,enable=false\n# name=c",
        "sep-tags": ", ",
        "sep-labels": "|",
        "sep-annotations": " ; ",
        "bake-target": "mine",
        annotations: "x=y",
      },
      look: 'jq -c ".target | keys" "$DOCKER_METADATA_OUTPUT_BAKE_FILE_TAGS"',
      normalise,
    },
    {
      name: "labels of its own",
      with: { images: "example.org/app", labels: "a=b\nc=d e", annotations: "x=y" },
      look: "true",
      normalise,
    },
  ];
}
