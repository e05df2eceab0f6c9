/** The shop's lint: every file parses, and none holds what should not be shipped. No dependency, so it runs offline. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const rules = [
  { pattern: /\bdebugger\b/, message: "debugger statement" },
  { pattern: /\bvar\s/, message: "var: use const or let" },
  { pattern: /[ \t]+$/, message: "white space at the end of the line" },
  { pattern: /[^=!]==[^=]/, message: "==: use ===" },
];

let problems = 0;
const files = process.argv
  .slice(2)
  .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name)))
  .filter((file) => file.endsWith(".js"));
for (const file of files) {
  const parsed = spawnSync(process.execPath, ["--check", file], { encoding: "utf8" });
  if (parsed.status !== 0) report(file, 1, parsed.stderr.trim().split("\n")[0]);
  readFileSync(file, "utf8")
    .split("\n")
    .forEach((line, index) => {
      for (const rule of rules) if (rule.pattern.test(line)) report(file, index + 1, rule.message);
    });
}
process.exitCode = problems === 0 ? 0 : 1;

function report(file, line, message) {
  problems += 1;
  // The form that CI turns into an annotation on the line.
  console.log(`::error file=${file},line=${line}::${message}`);
}
