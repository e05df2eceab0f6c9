/** `npm run check`: what must hold before each commit, in seconds. `--fix` formats and applies safe lint fixes. */
import { finish, runSteps, type Step } from "./steps.ts";
import { pureTestOptions, pureTests } from "./test-files.ts";

const fix = process.argv.includes("--fix");
const steps: Step[] = [
  { name: "format", command: "oxfmt", args: fix ? ["."] : ["--check", "."] },
  { name: "lint", command: "oxlint", args: fix ? ["--fix"] : [] },
  { name: "types", command: "tsc", args: ["-p", "."] },
  { name: "console types", command: "tsc", args: ["-p", "console"] },
  { name: "dead code", command: "knip", args: [] },
  {
    name: "pure tests",
    command: "node",
    args: ["--test", ...pureTestOptions, "--test-reporter=dot", ...pureTests()],
  },
];
finish(runSteps(steps));
