/**
 * actions/starter-workflows: every job that needs nothing but tools which this machine has runs green on a sample
 * repository, by `tidegate run`. What else a job needs is the reason why it is left out.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { delimiter } from "node:path";
import { findBuiltin } from "../../src/runner/actions/registry-of-builtins.ts";
import { parseWorkflowFile } from "../../src/workflows/index.ts";
import type { Job } from "../../src/workflows/index.ts";
import { root } from "../steps.ts";
import { samplePrograms, sampleRepository } from "./sample-repository.ts";
import { fillPlaceholders } from "./starter.ts";
import type { Case } from "./tally.ts";

const group = "jobs that need only tools of this machine run green";

/** Commands that fetch something, or need an account. */
const network =
  /\b(?:pip3? install|pip install|npx |npm (?:install|publish)|yarn|conda|gem |bundle |cargo install|apt(?:-get)? |brew |curl|wget|git clone|docker |docker-compose|composer|mvn|gradle|gcloud|aws |az |terraform|kubectl|helm|gh )/;

const shellWords = new Set(
  "if then else elif fi for do done while case esac in echo cd export set exit test [ [[ true false read printf { } ( ) local return source . eval exec shift unset wait trap".split(
    " ",
  ),
);

export function* starterJobs(folder: string): Generator<Case> {
  const scratch = mkdtempSync(join(tmpdir(), "tidegate-starter-"));
  try {
    const sample = writeSample(join(scratch, "sample"));
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
      if (!/\.ya?ml$/.test(file) || file.startsWith(".github")) continue;
      const raw = readFileSync(join(folder, file), "utf8");
      if (!/^jobs:/m.test(raw)) continue;
      const text = withOwnVersions(fillPlaceholders(raw));
      const path = join(scratch, basename(file));
      writeFileSync(path, text);
      yield* jobsOf(file, path, text, sample, scratch);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function* jobsOf(file: string, path: string, text: string, sample: string, scratch: string): Generator<Case> {
  const { value } = parseWorkflowFile(`.github/workflows/${basename(file)}`, text);
  const jobs = value?.jobs ?? [];
  for (const job of jobs) {
    const name = `${file} ${job.key}`;
    const needed = jobs.filter((one) => one.key === job.key || job.needs.includes(one.key));
    const reason = needed.map((one) => obstacle(one)).find((one) => one !== undefined);
    if (reason !== undefined) {
      yield { name, group: "jobs that need more", skipped: reason };
      continue;
    }
    const inputs = value?.on.workflowDispatch?.inputs.some((input) => input.name === "name") === true;
    const failure = runJob(path, [job.key, ...(inputs ? ["--input", "name=Ada"] : [])], sample, scratch);
    yield failure === undefined ? { name, group } : { name, group, failure };
  }
}

/** The versions of languages that are here, as whoever takes the workflow up puts in theirs. */
function withOwnVersions(text: string): string {
  const versionOf = (program: string, args: readonly string[]): string =>
    /\d+(?:\.\d+)*/.exec(spawnSync(program, args, { encoding: "utf8" }).stdout ?? "")?.[0] ?? "1";
  const go = versionOf("go", ["version"]);
  const node = versionOf("node", ["--version"]);
  return text
    .replaceAll(/(go-version: )\S+/g, `$1'${go}'`)
    .replaceAll(/(node-version: )\[[^\]]*\]/g, `$1[${node}]`)
    .replaceAll(/(node-version: )\d\S*/g, `$1${node}`);
}

/** What the job needs that is no tool of this machine. */
function obstacle(job: Job): string | undefined {
  const text = JSON.stringify(job);
  if (job.container !== undefined || job.services !== undefined) return "needs containers";
  if (/secrets\.(?!GITHUB_TOKEN)/.test(text)) return "needs secrets";
  if (job.call !== undefined) return "calls a workflow of another repository";
  if (text.includes("clang") && !isThere("clang")) return "needs clang";
  const labels = JSON.stringify(job.runsOn.labels);
  if (/macos|windows/.test(labels) || (labels.includes("self-hosted") && !labels.includes("linux")))
    return `asks for ${labels}`;
  for (const { uses, run } of job.steps) {
    if (uses !== undefined && findBuiltin(uses) === undefined) return `uses ${uses}`;
    if (uses?.startsWith("docker/login") === true) return "needs an account at a registry";
    if (run === undefined) continue;
    if (network.test(run)) return `needs the network: ${network.exec(run)?.[0].trim() ?? ""}`;
    const missing = missingTool(run);
    if (missing !== undefined) return `needs ${missing}`;
  }
  return undefined;
}

/** The first command of a line that is not on the PATH. */
function missingTool(script: string): string | undefined {
  const lines = script.replaceAll("\\\n", " ").split("\n");
  const words = lines.flatMap((line) => /^\s*(?:[A-Z_]+=\S*\s+)*([\w.[{(-][\w.-]*)(?:\s|$)/.exec(line)?.[1] ?? []);
  return words.find((word) => !shellWords.has(word) && !/^[A-Z_]+=|^[-.]/.test(word) && !isThere(word));
}

function isThere(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}

function runJob(path: string, job: readonly string[], sample: string, scratch: string): string | undefined {
  const cli = join(root, "src", "cli", "main.ts");
  const kept = ["--cache-server-path", join(scratch, "caches"), "--artifact-server-path", join(scratch, "artifacts")];
  const args = [cli, "run", "-W", path, "-C", sample, "-j", ...job, ...kept, "--json"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    timeout: 300_000,
  });
  if (status === 0) return undefined;
  const lines = stdout
    .trim()
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as { text?: string }]));
  const said = lines.flatMap(({ text }) => text ?? []).filter((text) => text.startsWith("##[error]"));
  return `ended with ${status}: ${[...said, stderr.trim()].join("; ").slice(0, 600)}`;
}

function writeSample(folder: string): string {
  for (const [path, text] of Object.entries(sampleRepository)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  for (const path of samplePrograms) chmodSync(join(folder, path), 0o755);
  return folder;
}
