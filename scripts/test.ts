/** `npm test [filter]`: pure tests unisolated, then process tests isolated. */
import { finish, runSteps, type Step } from "./steps.ts";
import { processTests, pureTestOptions, pureTests } from "./test-files.ts";

const filter = process.argv[2] ?? "";
const pure = pureTests().filter((file) => file.includes(filter));
const processes = processTests().filter((file) => file.includes(filter));
const steps: Step[] = [];
if (pure.length > 0) steps.push({ name: "pure tests", command: "node", args: ["--test", ...pureTestOptions, ...pure] });
if (processes.length > 0) {
  const args = ["--test", "--test-concurrency=2", "--test-timeout=300000", ...processes];
  steps.push({ name: "process tests", command: "node", args });
}
finish(runSteps(steps));
