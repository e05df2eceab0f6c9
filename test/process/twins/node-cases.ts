/** Node: which one is set up, and what package managers have downloaded. */
import type { TwinCase, TwinStep } from "./cases.ts";

type NodeCase = Omit<TwinCase, "key" | "uses" | "says" | "with"> &
  Partial<Pick<TwinCase, "says" | "with">> & { readonly since?: string };

/** Words of refusals are ours; keys end with the digest of what is new for each attempt. */
function normalise(line: string): string {
  return line.replace(/^(error|warning): .*/s, "$1").replaceAll(/\b[0-9a-f]{64}\b/g, "<digest>");
}

const node = { "node-version": "22.x" };
/** Of this job and attempt alone. */
const lock = "${{ github.job }}-${{ github.run_attempt }}";
const keptBefore = (folder: string, lockFile: string): string =>
  [
    `mkdir -p ~/${folder} "$(dirname ${lockFile})"; echo '"${lock}"' > ${lockFile}; echo x > ~/${folder}/x`,
    `echo "KEPT=$HOME/${folder}" >> "$GITHUB_ENV"`,
  ].join("\n");

/** Somebody has kept it before, under the key that the official action takes. */
const keptAs = (key: string): readonly TwinStep[] => [
  { uses: "actions/cache/save@v4", with: { path: "${{ env.KEPT }}", key } },
  { run: 'rm -r "$KEPT"' },
];

function missed(manager: string, folder: string, lockFile: string, given: NodeCase["with"] = {}): NodeCase {
  return {
    name: `what ${manager} downloads is kept, of ${lockFile}`,
    before: keptBefore(folder, lockFile),
    with: { ...node, cache: manager, ...given },
    look: 'find "$KEPT" -type f',
    says: [
      new RegExp(`^${manager} cache is not found$`),
      new RegExp(`^Cache saved with the key: node-cache-Linux-(?:x64|arm64)-${manager}-[0-9a-f]{64}$`),
    ],
    normalise,
  };
}

function found(manager: string, folder: string, lockFile: string, given: NodeCase["with"] = {}): NodeCase {
  return {
    ...missed(manager, folder, lockFile, given),
    name: `what ${manager} downloaded is found, of ${lockFile}`,
    steps: keptAs(
      `node-cache-Linux-\${{ runner.arch == 'ARM64' && 'arm64' || 'x64' }}-${manager}-\${{ hashFiles('${lockFile}') }}`,
    ),
    says: [
      /^Cache restored from key: node-cache-Linux-/,
      /^Cache hit occurred on the primary key node-cache-Linux-.*, not saving cache\.$/,
    ],
  };
}

const declared = (name: string, manifest: object, rest: Partial<NodeCase> = {}): NodeCase => ({
  name,
  before: `${keptBefore(".npm-of-test/${GITHUB_JOB}", "package-lock.json")}\necho '${JSON.stringify(manifest)}' > package.json; cp package-lock.json yarn.lock`,
  with: node,
  look: "true",
  says: [/^npm cache is not found$/, /^yarn cache is not found$/, /^Cache saved with the key: /],
  normalise,
  ...rest,
});

export const nodeCases: readonly NodeCase[] = [
  { name: "a version of the tool cache", with: { "node-version": "22.x" }, look: 'command -v node; node -p "1+1"' },
  {
    name: "a version out of a file",
    before: "echo v22.11.0 > .nvmrc",
    with: { "node-version-file": ".nvmrc" },
    look: "command -v node",
  },
  {
    name: "a registry with a scope",
    with: { "node-version": "22", "registry-url": "https://npm.example.com", scope: "acme" },
    look: 'cat "$NPM_CONFIG_USERCONFIG"; echo',
  },
  { name: "a file that is not there", with: { "node-version-file": "none" }, look: "true" },
  {
    name: "a file without a version",
    before: 'echo "{}" > package.json',
    with: { "node-version-file": "package.json" },
    look: "true",
    normalise,
  },
  {
    name: "a version out of the root of a workspace",
    before: `mkdir -p apps/web; echo '{ "volta": { "extends": "../../root.json" } }' > apps/web/package.json; echo '{ "volta": { "node": "22.11.0" } }' > root.json`,
    with: { "node-version-file": "apps/web/package.json" },
    look: "command -v node",
  },
  { name: "a machine without a version", with: { architecture: "x64" }, look: "true" },
  {
    name: "inputs of other versions",
    with: { ...node, "always-auth": true, "package-manager-cache": false },
    look: "true",
  },
  {
    name: "nothing, in so many words",
    with: {
      "node-version": "",
      "node-version-file": "",
      architecture: "",
      "check-latest": "",
      "registry-url": "",
      scope: "",
      token: "",
      cache: "",
      "cache-dependency-path": "",
      mirror: "",
      "mirror-token": "",
    },
    look: "command -v node >/dev/null && echo some",
    normalise,
  },
  {
    name: "a registry, and nobody says whether to sign in always",
    with: { ...node, "registry-url": "https://npm.example.com/a", "always-auth": "" },
    look: 'cat "$NPM_CONFIG_USERCONFIG"; echo',
  },
  {
    name: "a registry in other words",
    with: { ...node, "registry-url": "https://npm.example.com/", scope: "@Acme", "always-auth": "perhaps" },
    look: 'cat "$NPM_CONFIG_USERCONFIG"; echo',
  },
  missed("npm", ".npm-of-test/${GITHUB_JOB}", "package-lock.json"),
  found("npm", ".npm-of-test/${GITHUB_JOB}", "package-lock.json"),
  found("npm", ".npm-of-test/${GITHUB_JOB}", "npm-shrinkwrap.json"),
  {
    ...found("npm", ".npm-of-test/${GITHUB_JOB}", "**/deep/*-lock.json", {
      "cache-dependency-path": "**/deep/*-lock.json",
    }),
    before: `${keptBefore(".npm-of-test/${GITHUB_JOB}", "b/deep/a-lock.json")}; mkdir -p a-b/deep a/deep; echo 1 > a-b/deep/z-lock.json; echo 2 > a/deep/B-lock.json`,
  },
  missed("pnpm", ".pnpm-of-test/${GITHUB_JOB}", "pnpm-lock.yaml"),
  found("pnpm", ".pnpm-of-test/${GITHUB_JOB}", "pnpm-lock.yaml"),
  missed("yarn", ".yarn-of-test/${GITHUB_JOB}", "yarn.lock"),
  found("yarn", ".yarn-of-test/${GITHUB_JOB}", "one/yarn.lock", { "cache-dependency-path": "one/yarn.lock" }),
  {
    ...missed("yarn", ".berry-of-test/${GITHUB_JOB}", "yarn.lock"),
    name: "what Yarn 3 keeps itself helps with another lock file too",
    before: `${keptBefore(".berry-of-test/${GITHUB_JOB}", "yarn.lock")}; touch .yarnrc.yml`,
    steps: keptAs(`node-cache-Linux-\${{ runner.arch == 'ARM64' && 'arm64' || 'x64' }}-yarn-${lock}`),
    says: [/^Cache restored from key: node-cache-Linux-\w+-yarn-actions_/, /^Cache saved with the key: /],
    // Of this attempt.
    normalise: (line) => normalise(line).replace(/_\d+-\d+"/, '_<attempt>"'),
  },
  {
    ...missed("yarn", ".berry-of-test/${GITHUB_JOB}", "yarn.lock"),
    name: "what lies in the repository is not what Yarn 3 keeps",
    before: `${keptBefore(".berry-of-test/${GITHUB_JOB}", "yarn.lock")}; touch .yarnrc.yml; mkdir -p .yarn/cache`,
    steps: keptAs(`node-cache-Linux-\${{ runner.arch == 'ARM64' && 'arm64' || 'x64' }}-yarn-${lock}`),
    look: "true",
    // Nothing was brought back, so there is nothing to keep.
    says: [/^yarn cache is not found$/],
  },
  declared("package.json names npm", { packageManager: "npm@10.9.0" }),
  declared("package.json names yarn", { packageManager: "yarn@1.22.22" }),
  declared("package.json names npm for those who develop", {
    devEngines: { packageManager: [{ name: "x" }, { name: "npm" }] },
  }),
  declared(
    "package.json names npm, and nobody says whether anything is to be kept",
    { packageManager: "npm@10.9.0" },
    {
      since: "v5",
      with: { ...node, "package-manager-cache": "" },
    },
  ),
  declared(
    "package.json names npm, but nothing is to be kept",
    { packageManager: "npm@10.9.0" },
    {
      since: "v5",
      with: { ...node, "package-manager-cache": false },
    },
  ),
  declared(
    "package.json names npm, and there is no lock file",
    { packageManager: "npm@10.9.0" },
    {
      before: `echo '{ "packageManager": "npm@10" }' > package.json`,
    },
  ),
  { name: "no lock file", with: { ...node, cache: "pnpm" }, look: "true", normalise },
  {
    name: "no file by that path",
    with: { ...node, cache: "yarn", "cache-dependency-path": "none/*.lock" },
    look: "true",
    normalise,
  },
  { name: "a manager that is none", with: { ...node, cache: "bun" }, look: "true", normalise },
  {
    name: "nothing was downloaded",
    before: `true\necho '"${lock}"' > package-lock.json`,
    with: { ...node, cache: "npm" },
    look: "true",
    normalise,
  },
];

/** Programs that say where they would keep what they download. */
export const nodePrograms: readonly (readonly [string, string, string])[] = [
  ["npm", `case "$*" in "config get cache") echo "$HOME/.npm-of-test/$GITHUB_JOB";; *) echo 10.9.0;; esac`],
  ["pnpm", `case "$*" in "store path --silent") echo "$HOME/.pnpm-of-test/$GITHUB_JOB";; *) echo 9.0.0;; esac`],
  [
    "yarn",
    `berry=; [ -e .yarnrc.yml ] && berry=1
case "$*" in
  --version) [ "$berry" ] && echo 4.5.0 || echo 1.22.22;;
  "cache dir") echo "$HOME/.yarn-of-test/$GITHUB_JOB";;
  "config get cacheFolder") echo "$HOME/.berry-of-test/$GITHUB_JOB";;
  "config get enableGlobalCache") [ "$berry" ] && echo false || echo undefined;;
esac`,
  ],
].map(([name = "", says = ""]) => ["node/22.11.0", name, says] as const);
