import { existsSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import type { Command } from "commander";
import type { SystemStatus } from "#api";
import { errorMessage, runCommand } from "#lib";
import { homeFolder, homeOf, machineIsolation, readConfig, remoteServer } from "#server";
import { connect } from "../client.ts";
import { command, type GlobalOptions, interruptSignal } from "../command.ts";
import { paint, print, printJson } from "../output.ts";
import { reachCluster } from "../reach-cluster.ts";

interface Finding {
  readonly check: string;
  /** A `note` does not make the exit code 1. */
  readonly result: "ok" | "note" | "problem";
  readonly detail: string;
}

export function doctorCommand(): Command {
  return command("doctor", "Look for what is missing or wrong; exit code 1 when something is", [
    "tidegate doctor",
  ]).action(doctor);
}

async function doctor(options: GlobalOptions): Promise<void> {
  const signal = interruptSignal();
  const config = readConfig(options.home === undefined ? {} : { home: options.home });
  const looked = await Promise.all([
    tool("git", ["--version"], config.hostPath, "needed: install git 2.34 or newer", "problem", signal),
    tool(
      "kubectl",
      ["version", "--client"],
      config.hostPath,
      "not found: only needed to use the cluster from the command line",
      "note",
      signal,
    ),
    tool(
      "docker",
      ["info", "--format", "{{.ServerVersion}}"],
      config.hostPath,
      "no engine answers: Dockerfiles with RUN cannot be built here",
      "note",
      signal,
    ),
    dataFolder(options.home),
    podIsolation(signal),
    server(options.home),
    cluster(options.home),
  ]);
  const findings = [nodeVersion(), ...looked.filter((finding) => finding !== undefined)];
  if (options.json === true) printJson(findings);
  else for (const finding of findings) print(`${sign(finding)} ${finding.check.padEnd(12)} ${finding.detail}`);
  if (findings.some((finding) => finding.result === "problem")) process.exitCode = 1;
}

function sign({ result }: Finding): string {
  if (result === "ok") return paint("✔", "green");
  return result === "note" ? paint("●", "yellow") : paint("✖", "red");
}

function nodeVersion(): Finding {
  const major = Number(process.versions.node.split(".")[0]);
  const detail = major >= 26 ? process.version : `${process.version}: Node.js 26 is needed; npm ci brings it`;
  return { check: "node", result: major >= 26 ? "ok" : "problem", detail };
}

async function tool(
  name: string,
  args: readonly string[],
  path: string,
  missing: string,
  severity: "note" | "problem",
  signal: AbortSignal,
): Promise<Finding> {
  try {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(5000)]);
    const { exitCode, stdout } = await runCommand(name, args, { env: { PATH: path }, signal: deadline });
    if (exitCode === 0)
      return { check: name, result: "ok", detail: stdout.toString("utf8").trim().split("\n")[0] ?? "" };
  } catch {
    // Not there: said below.
  }
  return { check: name, result: severity, detail: missing };
}

async function dataFolder(flag: string | undefined): Promise<Finding> {
  const folder = homeFolder(flag);
  if (!existsSync(folder)) return { check: "data folder", result: "ok", detail: `${folder} (made at the first start)` };
  const mode = statSync(folder).mode & 0o077;
  if (mode !== 0) {
    return {
      check: "data folder",
      result: "problem",
      detail: `${folder} can be read by others: chmod 700 "${folder}"`,
    };
  }
  const { bavail, bsize } = await statfs(folder);
  const freeGiB = (bavail * bsize) / 1024 ** 3;
  const detail = `${folder}, ${freeGiB.toFixed(1)} GiB free`;
  return { check: "data folder", result: freeGiB < 1 ? "problem" : "ok", detail };
}

/** Nothing to say while nothing runs: that is told already. */
async function cluster(flag: string | undefined): Promise<Finding | undefined> {
  const check = "kubernetes";
  const client = await connect(flag).catch(() => undefined);
  const runs = await client?.api("/status").catch(() => undefined);
  if (client === undefined || runs === undefined) return undefined;
  try {
    const { url, certificateUntil } = await reachCluster(client);
    return { check, result: "ok", detail: `${url}, certificate until ${certificateUntil}` };
  } catch (error) {
    return { check, result: "problem", detail: `the API over TLS does not answer: ${errorMessage(error)}` };
  }
}

/** What the process runtime will find when it starts. */
async function podIsolation(signal: AbortSignal): Promise<Finding> {
  const { isolated, text } = await machineIsolation(signal);
  return { check: "isolation", result: isolated ? "ok" : "note", detail: text };
}

async function server(flag: string | undefined): Promise<Finding> {
  const home = homeOf(homeFolder(flag));
  const elsewhere = flag === undefined && remoteServer() !== undefined;
  if (!elsewhere && !existsSync(home.endpoints))
    return { check: "server", result: "note", detail: 'not started yet: "tidegate up"' };
  try {
    const client = await connect(flag);
    const { version, addresses, processes } = await client.api<SystemStatus>("/status");
    const stopped = processes.filter((process) => process.state === "stopped").map((process) => process.name);
    if (stopped.length > 0) return { check: "server", result: "problem", detail: `not running: ${stopped.join(", ")}` };
    return { check: "server", result: "ok", detail: `${version} at ${addresses.control}` };
  } catch (error) {
    return { check: "server", result: "problem", detail: errorMessage(error) };
  }
}
