/** Cases of actions that set up tools and of those that run scripts and sign in, with the tools they are given. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { javaPrograms } from "./java-cases.ts";
import { nodePrograms } from "./node-cases.ts";
import type { TwinCase } from "./cases.ts";

export type ToolCase = Omit<TwinCase, "key" | "uses" | "says" | "with"> &
  Partial<Pick<TwinCase, "says" | "with">> & { readonly since?: string };

export const pythonCases: readonly ToolCase[] = [
  { name: "a version of the tool cache", with: { "python-version": "3.97" }, look: "python; command -v python" },
  {
    name: "a version out of a file, not for others",
    before: "echo 3.97.4 > .python-version",
    with: { "python-version-file": ".python-version", "update-environment": false },
    look: "command -v python | grep -c 3.97",
  },
  {
    name: "packages are kept",
    before: "echo flask > requirements.txt; mkdir -p ~/.cache/pip-of-test; echo x > ~/.cache/pip-of-test/x",
    with: { "python-version": "3.97", cache: "pip" },
    look: "true",
    says: [/^pip cache is not found|^Cache restored from key: setup-python-/],
    // The second of the twins finds what the first has saved.
    normalise: (line) => line.replace(/"cache-hit": "(?:true|false)"/, '"cache-hit": "<found>"'),
  },
  { name: "a file that is not there", with: { "python-version-file": "none" }, look: "true" },
  {
    name: "nothing, in so many words",
    with: { "python-version": "3.97", architecture: "", cache: "", token: "", "cache-dependency-path": "" },
    look: "command -v python",
  },
  {
    name: "nobody says whether it is for others",
    with: { "python-version": "3.97", "update-environment": "" },
    look: "true",
  },
  { name: "neither true nor false", with: { "python-version": "3.97", "check-latest": "perhaps" }, look: "true" },
];

export const goCases: readonly ToolCase[] = [
  {
    name: "a version of the tool cache",
    with: { "go-version": "1.97.x", cache: false },
    look: "go version; command -v go",
  },
  {
    name: "a version out of go.mod",
    before: "printf 'module x\\n\\ngo 1.97\\n' > go.mod",
    with: { "go-version-file": "go.mod", cache: false },
    look: "command -v go",
  },
  { name: "a file that is not there", with: { "go-version-file": "none", cache: false }, look: "true" },
  {
    name: "nothing, in so many words",
    with: { "go-version": "1.97.x", "go-version-file": "", cache: false, architecture: "", token: "" },
    look: "command -v go",
  },
  { name: "nobody says whether anything is kept", with: { "go-version": "1.97.x", cache: "" }, look: "true" },
  { name: "neither true nor false", with: { "go-version": "1.97.x", cache: false, "check-latest": 1 }, look: "true" },
];

export const scriptCases: readonly ToolCase[] = [
  {
    name: "what a script returns and sets",
    with: {
      script:
        'core.setOutput("two", 2); core.exportVariable("FROM_SCRIPT", "yes"); core.addPath("/opt/from-script"); core.notice("look"); const { stdout } = await exec.getExecOutput("echo", ["hi"]); return [context.repo.repo, stdout.trim(), typeof github.rest.issues.create, Object.keys(io).length > 3];',
    },
    look: 'echo "$FROM_SCRIPT"',
  },
  {
    name: "a text as it is",
    with: { script: "return `${context.eventName} ${context.job}`.slice(0, 4)", "result-encoding": "string" },
    look: "true",
  },
  { name: "a script that throws", with: { script: 'throw new Error("no such thing")' }, look: "true" },
  { name: "nothing is returned", with: { script: "await 1" }, look: "true" },
  {
    name: "nothing, in so many words",
    with: { script: "return 1", "user-agent": "", previews: "", "result-encoding": "", retries: "", "base-url": "" },
    look: "true",
  },
  { name: "an empty token", with: { script: "return 1", "github-token": "" }, look: "true" },
  { name: "nobody says whether to tell more", with: { script: "return 1", debug: "" }, look: "true" },
  { name: "a result of another kind", with: { script: "return 1", "result-encoding": "xml" }, look: "true" },
  { name: "no script", with: { script: "" }, look: "true" },
];

export const awsCases: readonly ToolCase[] = [
  { name: "no region", with: { "aws-access-key-id": "AKIA", "aws-secret-access-key": "x" }, look: "true" },
  {
    name: "a region out of a variable",
    before: 'echo "AWS_REGION=eu-west-1" >> "$GITHUB_ENV"',
    with: { "aws-region": "", "aws-access-key-id": "AKIAHALF" },
    look: "true",
  },
  { name: "a region that is none", with: { "aws-region": "the moon" }, look: "true" },
  {
    name: "neither true nor false",
    since: "v6",
    with: { "aws-region": "eu-west-1", "aws-access-key-id": "AKIAHALF", "output-credentials": "perhaps" },
    look: "true",
  },
  {
    name: "a role, and no way to it",
    since: "v6",
    with: { "aws-region": "eu-west-1", "role-to-assume": "x", "force-skip-oidc": true },
    look: "true",
  },
  { name: "half a key", with: { "aws-region": "eu-west-1", "aws-access-key-id": "AKIAHALF" }, look: "true" },
];

/** Programs that say what they are, in the tool cache of the server's runner. */
export async function fillTools(tools: string): Promise<void> {
  const go =
    'case "$1 $2" in "env GOPATH") echo "$HOME/gopath";; "version ") echo "go version go1.97.3 linux/amd64";; *) echo "GOTHING=1";; esac';
  const programs: readonly (readonly [string, string, string])[] = [
    ["Python/3.97.4", "python", "echo Python 3.97.4"],
    ["Python/3.97.4", "pip", 'echo "$HOME/.cache/pip-of-test"'],
    ["go/1.97.3", "go", go],
    ...nodePrograms,
    ...javaPrograms,
  ];
  for (const [tool, program, says] of programs) {
    const bin = join(tools, tool, "x64", "bin");
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, program), `#!/bin/sh\n${says}\n`, { mode: 0o755 });
    await writeFile(join(tools, tool, "x64.complete"), "");
  }
}
