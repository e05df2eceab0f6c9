/** Caches: what is kept under which key, what comes back, and what is refused. */
import type { TwinCase, TwinStep } from "./cases.ts";
import { withoutMessages } from "./checkout-cases.ts";

type CacheCase = Omit<TwinCase, "key" | "uses" | "says" | "with"> & Partial<Pick<TwinCase, "says" | "with">>;

const deps = "mkdir -p deps; echo one > deps/one; echo no > deps/no";
const ownKey = "${{ github.job }}-${{ github.run_attempt }}";

function keptAs(key: string): TwinStep {
  return { uses: "actions/cache/save@v5", with: { path: "deps\n!deps/no", key } };
}

export const cacheCases: readonly CacheCase[] = [
  {
    name: "a miss",
    before: "mkdir -p deps; echo one > deps/one",
    with: { path: "deps", key: "twins-${{ github.run_attempt }}-${{ github.job }}", "restore-keys": "nothing-" },
    look: "find deps -type f",
    says: [/^Cache not found for input keys: twins-/, /^Cache saved with key: twins-/],
  },
  {
    name: "a key of another's beginning",
    before: `${deps}; rm -rf back`,
    steps: [keptAs("${{ github.job }}-old-${{ github.run_attempt }}"), { run: "rm -r deps" }],
    with: { path: "deps\n!deps/no", key: ownKey, "restore-keys": "nothing-\n\n  ${{ github.job }}-old-" },
    look: "find deps -type f | sort",
    says: [/^Cache restored from key: /, /^Cache saved with key: /],
  },
  {
    name: "what is there already",
    before: deps,
    steps: [keptAs(ownKey), { run: "rm -r deps" }],
    with: { path: "deps\n!deps/no", key: ownKey },
    look: "find deps -type f | sort",
    says: [/^Cache restored from key: /, /^Cache hit occurred on the primary key .*, not saving cache\.$/],
  },
  {
    name: "only looked up",
    before: deps,
    steps: [keptAs(ownKey), { run: "rm -r deps" }],
    with: { path: "deps\n!deps/no", key: ownKey, "lookup-only": true },
    look: "find deps -type f 2>/dev/null | sort",
    says: [/^Cache found and can be restored from key: /],
  },
  {
    name: "of any machine, in small parts, and always",
    before: deps,
    with: { path: "deps", key: ownKey, enableCrossOsArchive: true, "upload-chunk-size": 1000, "save-always": true },
    look: "find deps -type f | sort",
    says: [/^Cache saved with key: /],
  },
  {
    name: "a miss that is an error",
    with: { path: "deps", key: "none-${{ github.job }}", "fail-on-cache-miss": true },
    look: "true",
  },
  {
    name: "nothing, in so many words",
    before: deps,
    with: {
      path: "deps",
      key: ownKey,
      "restore-keys": "",
      enableCrossOsArchive: "",
      "fail-on-cache-miss": "",
      "lookup-only": "",
      "upload-chunk-size": "",
    },
    look: "true",
    says: [/^Cache not found for input keys: /, /^Cache saved with key: /],
  },
  { name: "neither true nor false", with: { path: "deps", key: "none", "fail-on-cache-miss": "maybe" }, look: "true" },
  { name: "an empty key", with: { path: "deps", key: "" }, look: "true" },
  { name: "no path", with: { key: ownKey }, look: "true" },
  { name: "a key with a comma", with: { path: "deps", key: "a,b" }, look: "true" },
  { name: "a key that is too long", with: { path: "deps", key: "k".repeat(513) }, look: "true" },
  {
    name: "too many keys",
    with: { path: "deps", key: "k", "restore-keys": "abcdefghij".split("").join("\n") },
    look: "true",
  },
];

const restored: readonly CacheCase[] = [
  {
    name: "what is there",
    before: deps,
    steps: [keptAs(ownKey), { run: "rm -r deps" }],
    with: { path: "deps\n!deps/no", key: ownKey },
    look: "find deps -type f | sort",
    says: [/^Cache restored from key: /],
  },
  {
    name: "a beginning",
    before: deps,
    steps: [keptAs(`${ownKey}-more`), { run: "rm -r deps" }],
    with: { path: "deps\n!deps/no", key: `${ownKey}-else`, "restore-keys": ownKey },
    look: "find deps -type f | sort",
    says: [/^Cache restored from key: /],
  },
  { name: "a miss", with: { path: "deps", key: ownKey }, look: "true" },
];

/** Keys name the attempt, so that what one keeps is not what another finds. */
export const restoreCases: readonly CacheCase[] = restored.map((one) => ({
  ...one,
  normalise: (line) => line.replace(/-\d(-more|-else)?",?$/, '-<attempt>$1"'),
}));

export const saveCases: readonly CacheCase[] = [
  { name: "files", before: deps, with: { path: "deps", key: ownKey }, look: "true", says: [/^Cache saved with key: /] },
  {
    name: "twice",
    before: deps,
    steps: [keptAs(ownKey)],
    with: { path: "deps\n!deps/no", key: ownKey },
    look: "true",
    normalise: withoutMessages,
  },
  { name: "files that are not there", with: { path: "none", key: ownKey }, look: "true", normalise: withoutMessages },
  { name: "no key", with: { path: "deps" }, look: "true", normalise: withoutMessages },
];
