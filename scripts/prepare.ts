/**
 * Builds the console when it is missing or older than its sources, so that `npm start` needs no build step of its own.
 * Says one line when it builds and nothing when there is nothing to do.
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./steps.ts";

const target = join(root, "dist", "console");
const stampFile = ".stamp";
/** All that the built files depend on: the sources, the types they are written against, and the versions of packages. */
const sources = ["console/**/*", "src/api/**/*.ts", "package-lock.json"];

function stampOf(): string {
  const hash = createHash("sha256");
  for (const path of globSync(sources, { cwd: root }).sort()) {
    if (path.endsWith(".test.ts") || statSync(join(root, path)).isDirectory()) continue;
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update("\0");
  }
  return hash.digest("hex");
}

async function buildConsole(stamp: string): Promise<void> {
  const started = performance.now();
  // Built beside and then moved, so that a server that runs, or a second start at once, never sees half of it.
  const fresh = join(root, "dist", `console-${process.pid}`);
  const old = `${fresh}-old`;
  const { build } = await import("vite");
  try {
    mkdirSync(fresh, { recursive: true });
    const configFile = join(root, "console", "vite.config.ts");
    await build({ configFile, logLevel: "warn", build: { outDir: fresh } });
    writeFileSync(join(fresh, stampFile), stamp);
    if (existsSync(target)) renameSync(target, old);
    renameSync(fresh, target);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
  console.error(`Built the console in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

const stamp = stampOf();
const stampPath = join(target, stampFile);
if (!existsSync(stampPath) || readFileSync(stampPath, "utf8") !== stamp) await buildConsole(stamp);
