/** Which files of which commit, and what later commands may do. */
import type { TwinCase } from "./cases.ts";

type CheckoutCase = Omit<TwinCase, "key" | "uses" | "says" | "with"> &
  Partial<Pick<TwinCase, "says" | "with">> & { readonly since?: string };

const files = 'find . -path "*/.git" -prune -o -type f -print | sort';
/** Not the keys that hold credentials: these versions keep them in different places, and take them away alike. */
const git = [
  "git status --short --branch",
  "git rev-parse HEAD; git rev-parse --is-shallow-repository",
  "git for-each-ref --format='%(refname) %(objectname)' | sort",
  // The address of the repository is in its configuration: ours is also reached by another, should its name not resolve.
  "git config --local --list | grep -Ev '^(includeif|include|http|url|core|extensions)' | sort",
].join("\n");
/** Later commands are authorised exactly when the job's credentials persist. */
const authorised = "git ls-remote --exit-code origin HEAD >/dev/null 2>&1 && echo authorised || echo not authorised";
const forgotten = `cd "$GITHUB_WORKSPACE/\${SUB:-.}"; ${authorised}; ls "$RUNNER_TEMP" | grep -c git-credentials; grep -c "AUTHORIZATION" .git/config`;

/** Repositories that are reached with a key, through a program that stands for ssh and runs what it is asked to here. */
const served = [
  'mkdir -p "$RUNNER_TEMP/bin" "$RUNNER_TEMP/served/acme"; echo "$RUNNER_TEMP/bin" >> "$GITHUB_PATH"',
  `printf '#!/bin/bash\\necho "$1 $3 $4" > "%s/ssh-called"; cd "%s/served" && eval "\${@: -1}"\\n' "$RUNNER_TEMP" "$RUNNER_TEMP" > "$RUNNER_TEMP/bin/ssh"`,
  'chmod 755 "$RUNNER_TEMP/bin/ssh"; git init -q --bare -b trunk "$RUNNER_TEMP/served/acme/part.git"; git init -q -b trunk "$RUNNER_TEMP/seed"; cd "$RUNNER_TEMP/seed"',
  "git config user.name Ada; git config user.email ada@example.com; export GIT_AUTHOR_DATE=2026-01-01T00:00:00Z GIT_COMMITTER_DATE=2026-01-01T00:00:00Z",
  'keep() { git add . && git commit -q -m "$1" && git push -q "$RUNNER_TEMP/served/acme/part.git" HEAD:trunk; }; echo part > part.txt; keep one',
].join("\n");
const largeFile = [
  `printf '*.bin filter=lfs diff=lfs merge=lfs -text\\n' > .gitattributes; printf 'GIT_CONFIG_COUNT=1\\nGIT_CONFIG_KEY_0=lfs.url\\nGIT_CONFIG_VALUE_0=file://%s/served/acme/part.git\\n' "$RUNNER_TEMP" >> "$GITHUB_ENV"`,
  'digest=$(printf large | sha256sum | cut -c1-64); store="$RUNNER_TEMP/served/acme/part.git/lfs/objects/${digest:0:2}/${digest:2:2}"; mkdir -p "$store"; printf large > "$store/$digest"',
  `git config filter.lfs.clean cat; git config filter.lfs.process ""; printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:%s\\nsize 5\\n' "$digest" > big.bin; keep two`,
].join("\n");
const withKey = { repository: "acme/part", "ssh-key": "a key that nobody checks" };
const keyConfig = `${files}\ngit config --local --list | grep -E '^(remote|core.sshcommand|filter|lfs)' | sort; cut -c1-40 "$RUNNER_TEMP/ssh-called"; ls "$RUNNER_TEMP" | grep -c known_hosts`;
const keyGone = `cd "$GITHUB_WORKSPACE"; git config core.sshCommand || echo no command; ls "$RUNNER_TEMP" | grep -c known_hosts`;

const keyCases: readonly CheckoutCase[] = [
  { name: "with a key", before: served, with: withKey, look: keyConfig, after: keyGone },
  {
    name: "with a key for another user, of a host that nobody vouches for",
    before: served,
    with: {
      ...withKey,
      "ssh-user": "deploy",
      "ssh-strict": false,
      "ssh-known-hosts": "example.com ssh-rsa AAAA",
      ref: "trunk",
    },
    look: `${keyConfig}; cat "$RUNNER_TEMP"/*_known_hosts | grep -v ^#`,
    after: keyGone,
  },
  {
    name: "with a key that is not kept",
    before: served,
    with: { ...withKey, "persist-credentials": false },
    look: keyConfig,
    after: keyGone,
  },
  {
    name: "with large files",
    needs: "git-lfs",
    before: `${served}\n${largeFile}`,
    with: { ...withKey, lfs: true },
    look: `${keyConfig}\ncat big.bin; echo; git lfs ls-files --name-only; ls .git/hooks | grep -v sample`,
  },
  {
    name: "with some of the large files",
    needs: "git-lfs",
    before: `${served}\nmkdir x; echo 1 > x/1; ${largeFile}`,
    with: { ...withKey, lfs: true, "sparse-checkout": "x" },
    look: `${keyConfig}\ncat big.bin; echo`,
  },
  {
    name: "with large files as they lie in the repository",
    needs: "git-lfs",
    before: `${served}\n${largeFile}`,
    with: withKey,
    look: `${keyConfig}\ngit cat-file -p HEAD:big.bin | head -1`,
  },
];

/** @param token for other repositories, too: that of a job reads its own only */
export const checkoutCases = (token: string): readonly CheckoutCase[] => [
  {
    name: "nothing said",
    look: `${files}\n${git}\n${authorised}`,
    after: forgotten,
  },
  { name: "the whole history", with: { "fetch-depth": 0 }, look: `${git}\ngit log --oneline | wc -l` },
  // Earlier ones forget the tags where they are to fetch a commit too.
  { name: "tags", since: "v6", with: { "fetch-tags": true }, look: git },
  { name: "a branch", with: { ref: "old" }, look: `${files}\n${git}` },
  {
    name: "an annotated tag in a folder",
    with: { ref: "v1.2.3", path: "sub/dir" },
    look: `${files}\ncd sub/dir; ${git}`,
  },
  { name: "a commit", with: { ref: "${{ github.sha }}" }, look: git },
  { name: "a full ref", with: { ref: "refs/tags/light" }, look: git },
  { name: "no credentials left", with: { "persist-credentials": false }, look: `${git}\n${authorised}` },
  {
    name: "what was there is cleaned",
    before: "echo left > left.txt; mkdir -p build; echo x > build/x",
    look: `${files}\n${git}`,
  },
  { name: "some folders only", with: { "sparse-checkout": "a\nc/d" }, look: `${files}\n${git}` },
  {
    name: "some files only, by patterns",
    with: { "sparse-checkout": "/b/two.txt", "sparse-checkout-cone-mode": false },
    look: `${files}\n${git}`,
  },
  {
    name: "no blobs before they are needed",
    with: { filter: "blob:none", "fetch-depth": 0 },
    look: `${files}\n${git}`,
  },
  {
    name: "submodules",
    with: { submodules: true, token },
    look: `${files}\n${git}\ngit submodule status`,
    after: `SUB=sub; ${authorised}`,
  },
  {
    name: "submodules in submodules, of which nothing is kept",
    with: { submodules: "recursive", token, "persist-credentials": false, ref: "nested" },
    look: `${files}\n${git}\ngit submodule status --recursive\ncd whole; ${git}; ${authorised}`,
  },
  {
    name: "submodules in submodules",
    with: { submodules: "recursive", token, ref: "nested", "fetch-depth": 0 },
    look: `${files}\n${git}\ngit submodule status --recursive\ncd whole/sub; ${git}; ${authorised}`,
    after: `SUB=whole/sub; ${authorised}`,
  },
  {
    name: "another repository beside",
    steps: [{ uses: "actions/checkout@v4" }],
    with: { repository: "acme/part", path: "part", token, "show-progress": false, "set-safe-directory": false },
    look: `${files}\ncd part\n${git}\n${authorised}`,
    after: `SUB=part; ${forgotten}`,
  },
  {
    name: "again, over what a build left",
    steps: [
      { uses: "actions/checkout@v4", with: { ref: "old", "sparse-checkout": "a" } },
      { run: "echo changed > a/one.txt; echo new > new.txt; mkdir b; echo x > b/two.txt" },
    ],
    look: `${files}\ncat a/one.txt\n${git}`,
  },
  {
    name: "again, and nothing is cleaned",
    steps: [
      { uses: "actions/checkout@v4", with: { ref: "old", "persist-credentials": false } },
      { run: "echo new > new.txt; mkdir -p build; echo x > build/x" },
    ],
    with: { clean: false },
    look: `${files}\n${git}\n${authorised}`,
  },
  { name: "a depth that is none", with: { "fetch-depth": "all" }, look: `${git}\ngit log --oneline | wc -l` },
  { name: "two commits", with: { "fetch-depth": 2 }, look: `${git}\ngit log --oneline | wc -l` },
  {
    name: "nothing, in so many words",
    with: {
      repository: "",
      ref: "",
      path: "",
      clean: "",
      filter: "",
      "sparse-checkout": "",
      "sparse-checkout-cone-mode": "",
      "fetch-depth": "",
      "fetch-tags": "",
      "show-progress": "",
      lfs: "",
      submodules: "",
      "ssh-strict": "",
      "ssh-user": "",
      "set-safe-directory": "",
      "github-server-url": "",
    },
    look: `${files}\n${git}\n${authorised}`,
    after: forgotten,
  },
  {
    name: "nobody says whether credentials persist",
    with: { "persist-credentials": "" },
    look: `${git}\n${authorised}`,
    after: forgotten,
  },
  { name: "an empty token", with: { token: "" }, look: "ls -A | sort" },
  {
    name: "neither true nor false",
    with: {
      clean: "yes",
      "fetch-tags": "on",
      submodules: "sure",
      "persist-credentials": "y",
      lfs: 1,
      "show-progress": "no",
    },
    before: "echo left > left.txt",
    look: `${files}\n${git}\n${authorised}`,
  },
  { name: "an input that it does not know", with: { "fetch-dept": 2, Path: "sub" }, look: `${files}\ncd sub; ${git}` },
  { name: "half a commit", with: { "fetch-depth": 1.9 }, look: `${git}\ngit log --oneline | wc -l` },
  { name: "fewer commits than none", with: { "fetch-depth": -3 }, look: `${git}\ngit log --oneline | wc -l` },
  { name: "a repository that is none", with: { repository: "part" }, look: "ls -A | sort", normalise: withoutMessages },
  ...keyCases,
  { name: "no such ref", with: { ref: "nowhere" }, look: "ls -A | sort", normalise: withoutMessages },
  { name: "a path outside", with: { path: "../x" }, look: "true", normalise: withoutMessages },
];

/** Words of refusals are ours; that there is one is not. */
export function withoutMessages(line: string): string {
  return /^(?:error|warning): /.test(line) ? line.replace(/: .*/s, "") : line;
}
