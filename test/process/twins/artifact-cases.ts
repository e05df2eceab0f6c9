/** Artifacts: what is kept of files and of their paths, and what comes back of it. */
import { extname } from "node:path";
import type { TwinCase, TwinStep } from "./cases.ts";

type ArtifactCase = Omit<TwinCase, "key" | "uses" | "says" | "with" | "mixed"> &
  Partial<Pick<TwinCase, "says" | "with">> & { readonly since?: string };

/** Each version of the one brings back what that version of the other keeps. */
const partners: Readonly<Record<string, string>> = { v4: "v4", v5: "v5", v6: "v6", v7: "v7", v8: "v7" };

/** Numbers and digests that are made anew for each artifact: archives tell the time. */
function normalise(line: string): string {
  return line
    .replaceAll(/("artifact-id": ")\d+/g, "$1<id>")
    .replaceAll(/\b[0-9a-f]{64}\b(?!  )/g, "<digest>")
    .replaceAll(/artifacts\/\d+/g, "artifacts/<id>")
    .replaceAll(/^(error|warning): .*/gs, "$1");
}

const name = "${{ github.job }}";
const some = [
  "mkdir -p out/logs out/.hidden out/empty",
  "echo one > out/a.txt; echo two > out/logs/b.log; echo no > out/logs/c.tmp; : > out/zero",
  "echo h > out/.hidden/h; echo e > out/.env; ln -s a.txt out/link; ln -s logs out/folder-link; chmod 755 out/a.txt",
].join("\n");
/** An artifact that is a file as it is has that file's name, and the jobs of all pairs are of one run. */
function ownName(file: string): string {
  return `${some}\ncp -p out/${file} "out/$GITHUB_JOB${extname(file)}"`;
}
const came =
  'cd back 2>/dev/null && find . -mindepth 1 -printf "%y %m %p\\n" | sort && find . -type f -exec sha256sum {} + | sort -k2';
const listed = [
  `curl -fsS -H "authorization: Bearer \${{ github.token }}" "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID/artifacts?per_page=100"`,
  `jq -r --arg job "$GITHUB_JOB" '[.artifacts[] | select(.name | startswith($job)) | {name, days: (((.expires_at|fromdate) - (.created_at|fromdate)) / 86400 | round), large: (.size_in_bytes > 9000)}] | unique[] | tostring'`,
].join(" | ");
const permissions = { actions: "read", contents: "read" };

export function uploadCases(version: string): readonly ArtifactCase[] {
  const back: readonly TwinStep[] = [
    { if: "always()", uses: `actions/download-artifact@${partners[version]}`, with: { name, path: "back" } },
  ];
  const kept = (title: string, given: ArtifactCase["with"], rest: Partial<ArtifactCase> = {}): ArtifactCase => ({
    name: title,
    before: some,
    with: { name, ...given },
    afterwards: back,
    look: came,
    says: [
      /^With the provided path, there will be \d+ files? uploaded$/,
      / has been successfully uploaded! Final size is /,
    ],
    normalise,
    ...rest,
  });
  const refused = (title: string, given: ArtifactCase["with"], rest: Partial<ArtifactCase> = {}): ArtifactCase => ({
    name: title,
    before: some,
    with: { name, ...given },
    look: listed,
    permissions,
    normalise,
    ...rest,
  });
  return [
    kept("a folder", { path: "out" }),
    kept("a folder with a slash, and hidden files", { path: "out/", "include-hidden-files": true }),
    kept("one file by its name", { path: "out/logs/b.log" }),
    kept("what a pattern fits", { path: "out/*.txt" }),
    kept("what a pattern fits in any folder", { path: "out/**/*.log" }),
    kept("several paths, and some not", { path: "out/logs\nout/a.txt\n!out/**/*.tmp" }),
    kept(
      "paths from far apart",
      { path: "out/logs/b.log\n${{ runner.temp }}/far-*" },
      { before: `${some}\necho far > "$RUNNER_TEMP/far-1"` },
    ),
    kept(
      "a comment and a path of home",
      { path: "# what it is\n~/twins-up/*" },
      { before: "mkdir -p ~/twins-up; echo x > ~/twins-up/x" },
    ),
    kept(
      "over one of the same name",
      { path: "out/zero", overwrite: true },
      {
        steps: [
          { uses: `actions/upload-artifact@${version}`, with: { name, path: ".nvmrc", "include-hidden-files": true } },
        ],
        before: `${some}; echo 22 > .nvmrc`,
      },
    ),
    kept(
      "not packed tightly, for three days",
      { path: "out", "retention-days": 3, "compression-level": 0 },
      {
        before: `${some}; head -c 10000 /dev/zero > out/zero`,
        look: `${came}; ${listed}`,
        permissions,
      },
    ),
    kept(
      "packed tightly",
      { path: "out", "retention-days": 1, "compression-level": 9 },
      {
        before: `${some}; head -c 10000 /dev/zero > out/zero`,
        look: `${came}; ${listed}`,
        permissions,
      },
    ),
    refused(
      "a name that is taken",
      { path: "out/zero" },
      {
        steps: [{ uses: `actions/upload-artifact@${version}`, with: { name, path: "probe-of-name" } }],
        before: `${some}; echo x > probe-of-name`,
        afterwards: back,
        look: `${came}; ${listed}`,
      },
    ),
    refused("nothing there", { path: "none/*" }),
    refused("nothing there, which is an error", { path: "none", "if-no-files-found": "error" }),
    refused("nothing there, which is fine", { path: "none", "if-no-files-found": "ignore" }),
    refused("only what is hidden", { path: "out/.env" }),
    refused("no path", {}),
    kept("nothing, in so many words", { path: "out", "retention-days": "", "compression-level": "" }),
    refused("an empty name", { path: "out", name: "" }),
    refused("nobody says whether to overwrite", { path: "out", overwrite: "" }),
    refused(
      "no answer to what is missing",
      { path: "out", "if-no-files-found": "" },
      { afterwards: back, look: `${came}; ${listed}` },
    ),
    refused(
      "words where numbers are",
      { path: "out", "retention-days": "soon", "compression-level": "much" },
      { afterwards: back, look: `${came}; ${listed}` },
    ),
    refused("a name that is none", { path: "out", name: "a/b" }),
    refused("a file whose name is none", { path: "odd" }, { before: "mkdir odd; echo > 'odd/a:b'" }),
    refused("neither true nor false", { path: "out", overwrite: "maybe" }),
    {
      ...kept("a file as it is", { path: `out/${name}.txt`, archive: false }, { before: ownName("a.txt") }),
      since: "v7",
      look: `${came}; ${listed}`,
      afterwards: [
        { if: "always()", uses: "actions/download-artifact@v8", with: { name: `${name}.txt`, path: "back" } },
      ],
    },
    {
      ...kept("an empty file as it is", { path: `out/${name}`, archive: false }, { before: ownName("zero") }),
      since: "v7",
      afterwards: [{ if: "always()", uses: "actions/download-artifact@v8", with: { name, path: "back" } }],
    },
    refused(
      "an input of later versions",
      { path: `out/${name}.txt`, archive: false },
      { before: ownName("a.txt"), afterwards: back, look: came },
    ),
    refused("files as they are", { path: "out", archive: false }, { since: "v7" }),
  ];
}

export function mergeCases(version: string): readonly ArtifactCase[] {
  const parts = ["a", "b"].map((part): TwinStep => ({
    uses: `actions/upload-artifact@${version}`,
    with: { name: `${name}-${part}`, path: `out-${part}`, "include-hidden-files": true },
  }));
  const merged = (title: string, given: ArtifactCase["with"]): ArtifactCase => ({
    name: title,
    before:
      "mkdir out-a out-b; echo 1 > out-a/one; echo 2 > out-b/two; echo a > out-a/both; echo a > out-b/both; echo h > out-b/.h",
    steps: parts,
    with: { name: `${name}-all`, pattern: `${name}-?`, ...given },
    afterwards: [
      {
        if: "always()",
        uses: `actions/download-artifact@${partners[version]}`,
        with: { name: `${name}-all`, path: "back" },
      },
    ],
    look: `${came}; ${listed}; ls -A "$GITHUB_WORKSPACE" | grep -v ^merge-artifact`,
    says: [
      /^Preparing to download the following artifacts:$/,
      /^The \d+ artifact\(s\) have been (?:successfully merged!|deleted)$/,
    ],
    permissions,
    normalise,
  });
  return [
    merged("several into one", {}),
    merged("each in its folder, and gone", { "separate-directories": true, "delete-merged": true }),
    merged("with what is hidden, for two days", { "include-hidden-files": true, "retention-days": 2 }),
    merged("none that fits", { pattern: "nothing-*" }),
  ];
}

export function downloadCases(version: string): readonly ArtifactCase[] {
  const parts = ["a", "b"].map((part): TwinStep => ({
    id: part,
    uses: `actions/upload-artifact@${partners[version]}`,
    with: { name: `${name}-${part}`, path: `out-${part}` },
  }));
  const got = (title: string, given: ArtifactCase["with"], rest: Partial<ArtifactCase> = {}): ArtifactCase => ({
    name: title,
    before: "mkdir -p out-a/deep out-b; echo 1 > out-a/deep/one; echo 2 > out-b/two; mkdir back; echo old > back/two",
    steps: parts,
    with: { path: "back", ...given },
    look: came,
    says: [/^Preparing to download the following artifacts:$/, /^Total of \d+ artifact\(s\) downloaded$/],
    normalise,
    ...rest,
  });
  const rest = { "github-token": "${{ github.token }}", "run-id": "${{ github.run_id }}" };
  return [
    got("one by its name", { name: `${name}-a` }),
    got(
      "one by its name to where it is asked",
      { name: `${name}-a`, path: "" },
      { look: "find . -path ./.git -prune -o -type f -print | sort" },
    ),
    got(
      "one by its name to a folder of home",
      { name: `${name}-b`, path: "~/twins-down" },
      { look: "find ~/twins-down; rm -r ~/twins-down" },
    ),
    got("those that fit", { pattern: `${name}-*` }),
    got("those that fit, together", { pattern: `${name}-*`, "merge-multiple": true }),
    got("the only one that fits", { pattern: `${name}-{b,c}` }),
    got("none that fits", { pattern: "nothing-*" }),
    got("by their numbers", {
      "artifact-ids": "${{ steps.a.outputs.artifact-id }}, ${{ steps.b.outputs.artifact-id }}",
    }),
    got("by one number, and one that is none", { "artifact-ids": "${{ steps.b.outputs.artifact-id }},999999" }),
    got("by words", { "artifact-ids": "one" }),
    got("no such name", { name: "nothing" }),
    got("a name and a number", { name: `${name}-a`, "artifact-ids": "1" }),
    got("of a run by its number", { name: `${name}-a`, ...rest }, { permissions }),
    got("those of a run that fit", { pattern: `${name}-*`, ...rest }, { permissions }),
    got("nothing, in so many words", { name: `${name}-a`, "artifact-ids": "", pattern: "", "github-token": "" }),
    got("nobody says whether to put them together", { pattern: `${name}-*`, "merge-multiple": "" }),
    got("nobody says what a wrong digest is", { name: `${name}-b`, "digest-mismatch": "" }, { since: "v8" }),
    got("of a run without a number", { name: `${name}-a`, ...rest, "run-id": "" }, { permissions }),
    got("of a repository without a name", { name: `${name}-a`, ...rest, repository: "" }, { permissions }),
    got("of a run that is not there", { name: `${name}-a`, ...rest, "run-id": "987654" }, { permissions }),
    got("of a repository that is none", { name: `${name}-a`, ...rest, repository: "shop" }, { permissions }),
    got(
      "as it was packed",
      { name: `${name}-b`, "skip-decompress": true },
      {
        since: "v8",
        look: 'cd back; ls; unzip -Z1 *.zip 2>/dev/null || python3 -m zipfile -l *.zip | tail -n +2 | cut -d" " -f1',
      },
    ),
    got(
      "an input of other versions",
      { name: `${name}-b`, "skip-decompress": true },
      { look: "stat -c '%a %n' back/*" },
    ),
    got("a way of taking digests that is none", { name: `${name}-b`, "digest-mismatch": "shrug" }, { since: "v8" }),
  ];
}
