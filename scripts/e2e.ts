/** `npm run e2e [filter]`: stories against real clients, one file after the other. */
import { finish, runSteps } from "./steps.ts";
import { stories } from "./test-files.ts";

const filter = process.argv[2] ?? "";
const files = stories().filter((file) => file.includes(filter));
const args = ["--test", "--test-concurrency=1", "--test-timeout=600000", ...files];
finish(
  runSteps([
    { name: "console", command: "node", args: ["scripts/prepare.ts"] },
    { name: "stories", command: "node", args },
  ]),
);
