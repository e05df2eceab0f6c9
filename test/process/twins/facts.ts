/** A job around one action that tells what the action did, and what is the same of it wherever it runs. */
import type { JobDetail } from "#api";
import type { TwinCase } from "./cases.ts";

/** An action of the repository itself whose late stage runs a script after everything else: it is the first step. */
export const probe = {
  "probe/action.yml": "inputs: { after: {} }\nruns: { using: node24, main: main.js, post: post.js }\n",
  "probe/main.js": "// It is about the late stage.\n",
  "probe/post.js": `require("node:child_process").spawnSync("bash", ["-c", process.env.INPUT_AFTER], { stdio: "inherit" });\n`,
};

/** What the runner sets anew for each step, or for actions only. */
const ownVariables = "^(GITHUB_|ACTIONS_|INPUT_|STATE_|RUNNER_TRACKING|SHLVL|_=|OLDPWD|PWD)";

export function workflowOf(name: string, cases: readonly TwinCase[]): string {
  const jobs = cases.map((one) => ({
    key: one.key,
    "runs-on": "ubuntu-latest",
    // The third and fourth attempts are about twins that work together.
    if: one.mixed === true ? "true" : "github.run_attempt < 3",
    ...(one.permissions === undefined ? {} : { permissions: one.permissions }),
    steps: [
      { uses: "$/probe", with: { after: `echo FACTS-AFTER; ${one.after ?? "true"}; echo FACTS-END` } },
      ...(one.before === undefined ? [] : [{ run: one.before }]),
      ...(one.steps ?? []),
      { run: `env | grep -Ev '${ownVariables}' | sort > "$RUNNER_TEMP/env-before"` },
      { id: "x", uses: one.uses, with: one.with, "continue-on-error": true },
      ...(one.afterwards ?? []).map((step) => ({ ...step, "continue-on-error": true })),
      {
        if: "always()",
        env: { OUTPUTS: "${{ toJSON(steps.x.outputs) }}", OUTCOME: "${{ steps.x.outcome }}" },
        run: [
          "set +e",
          "echo FACTS-BEGIN",
          'echo "outcome $OUTCOME"',
          'echo "$OUTPUTS"',
          `env | grep -Ev '^(OUTPUTS|OUTCOME)=|${ownVariables}' | sort | diff "$RUNNER_TEMP/env-before" - | grep '^[<>]' | grep -v '^[<>] *["{}]' | grep -v '^. OUT'`,
          one.look,
          "echo FACTS-END",
        ].join("\n"),
      },
    ],
  }));
  const entries = jobs.map(({ key, ...job }) => [key, job]);
  return JSON.stringify({ name, on: { push: { branches: ["main"] } }, jobs: Object.fromEntries(entries) });
}

/** A line of `tidegate logs --json`. */
export interface JobLine {
  readonly job: string;
  readonly text: string;
}

/** What people and later steps can see of the action. */
export function factsOf(job: JobDetail | undefined, log: readonly JobLine[], one: TwinCase): unknown {
  const lines = log.filter((line) => line.job === one.key).map((line) => line.text);
  const told = (text: string): string => one.normalise?.(plain(text)) ?? plain(text);
  const blocks: string[] = [];
  let open = false;
  for (const line of lines) {
    if (line === "FACTS-BEGIN" || line === "FACTS-AFTER") open = true;
    const fact = told(line);
    if (open && fact !== "") blocks.push(fact);
    if (line === "FACTS-END") open = false;
  }
  return {
    conclusion: job?.conclusion,
    steps: job?.steps.map(({ name, conclusion }) => `${name}: ${conclusion}`),
    annotations: job?.annotations
      .map(({ level, message }) => told(`${level}: ${message}`))
      .filter((text) => text !== ""),
    // Masked values and groups of interest to whoever reads the log.
    said: one.says.map((pattern) => lines.some((line) => pattern.test(line))),
    blocks,
  };
}

/** Without names that are made anew for each job. */
function plain(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uuid>")
    .replaceAll(/\/\S*\/_temp\b/g, "<temp>")
    .replaceAll(/\/\S*\/shop\/shop\b/g, "<workspace>")
    .replaceAll(/\/\S*\/shared\/tools\b/g, "<tools>")
    .replaceAll(/tg_job_\w+/g, "<token>");
}
