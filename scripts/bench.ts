/** `npm run bench -- <name> [arguments]`: runs `bench/<name>.ts`, which prints ratios or plain figures, never a verdict. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { finish, root, runSteps } from "./steps.ts";

const [name = "", ...args] = process.argv.slice(2);
const file = join(root, "bench", `${name}.ts`);
if (!/^[\w-]+$/.test(name) || !existsSync(file)) {
  const known = readdirSync(join(root, "bench")).filter((entry) => entry.endsWith(".ts"));
  console.error(`Name a benchmark: npm run bench -- ${known.map((entry) => entry.replace(".ts", "")).join(" | ")}`);
  process.exit(2);
}
finish(runSteps([{ name, command: "node", args: [file, ...args] }]));
