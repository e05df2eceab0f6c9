/** `actions/github-script`: the script in a process of its own, with GitHub's client against this server's API. */
import { join } from "node:path";
import { debugEnabled } from "../../steps/contexts.ts";
import { runStepProgram } from "../../steps/run-program.ts";
import { machineHost } from "../../steps/step-host.ts";
import { actionEnvironment, inputVariables } from "../../steps/step-env.ts";
import type { BuiltinAction } from "../builtin-action.ts";
import { reasonOnce } from "../run-javascript.ts";

const program = join(import.meta.dirname, "..", "github-script", "process", "main.ts");

export const githubScript: BuiltinAction = {
  name: "actions/github-script",
  inputs: {
    script: "",
    "github-token": "",
    debug: "",
    "user-agent": "actions/github-script",
    previews: "",
    "result-encoding": "json",
    retries: "0",
    "retry-exempt-status-codes": "400,401,403,404,422",
    "base-url": "",
  },
  versions: {
    retries: { since: 6 },
    "retry-exempt-status-codes": { since: 6 },
    "base-url": { since: 7 },
  },
  sensitive: ["github-token"],
  async main(call) {
    const { folders, runner, assignment } = call.parts;
    const inputs = {
      ...call.inputs,
      "github-token": call.gave("github-token")
        ? call.text("github-token")
        : (assignment.secrets["GITHUB_TOKEN"] ?? ""),
      debug: call.gave("debug") ? call.text("debug") : String(debugEnabled(call.step.scope)),
    };
    const env = { ...actionEnvironment(call.step), ...inputVariables(inputs) };
    const script = { program: runner.nodePath, args: [program], cwd: folders.workspace, env };
    // On the machine also when the job has a container: the toolkit is not in there.
    await reasonOnce(call.step, runStepProgram(call.step, script, machineHost(runner)));
  },
};
