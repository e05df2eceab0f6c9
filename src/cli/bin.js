#!/usr/bin/env node
// Runs the CLI on the Node.js that this package brings (npm dependency "node"), whatever the machine's own is.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const own = fileURLToPath(new URL("../../node_modules/node/bin/node", import.meta.url));
const current = Number(process.versions.node.split(".")[0]) >= 26;

if (current) {
  await import("./main.ts");
} else if (existsSync(own)) {
  const child = spawn(own, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 143)));
} else {
  console.error("tidegate needs Node.js 26: run npm ci in its folder, which brings it");
  process.exit(1);
}
