/** Instructions that change only how the image runs: pure, configuration in, configuration out. */
import { parseGoDuration } from "#lib";
import type { CommandForm, HealthcheckInstruction, Instruction } from "../dockerfile/instruction.ts";
import type { Healthcheck, RunConfig } from "./image-config.ts";
import { InstructionProblem } from "./instruction-problem.ts";

const metadataKinds = [
  "env",
  "label",
  "user",
  "stopsignal",
  "expose",
  "volume",
  "cmd",
  "entrypoint",
  "shell",
  "healthcheck",
  "onbuild",
] as const;

export type MetadataInstruction = Extract<Instruction, { kind: (typeof metadataKinds)[number] }>;

export function isMetadata(instruction: Instruction): instruction is MetadataInstruction {
  return (metadataKinds as readonly string[]).includes(instruction.kind);
}

/** @param expand replaces variables in one word. @param cmdSet whether this stage had a CMD before */
export function applyMetadata(
  run: RunConfig,
  instruction: MetadataInstruction,
  expand: (word: string) => string,
  cmdSet: boolean,
): RunConfig {
  switch (instruction.kind) {
    case "env":
      return { ...run, Env: withEnv(run.Env ?? [], instruction.pairs.map(expandPair(expand))) };
    case "label":
      return { ...run, Labels: { ...run.Labels, ...Object.fromEntries(instruction.pairs.map(expandPair(expand))) } };
    case "user":
      return { ...run, User: expand(instruction.value) };
    case "stopsignal":
      return { ...run, StopSignal: expand(instruction.value) };
    case "expose":
      return { ...run, ExposedPorts: { ...run.ExposedPorts, ...exposedPorts(instruction.values.map(expand)) } };
    case "volume":
      return {
        ...run,
        Volumes: { ...run.Volumes, ...Object.fromEntries(instruction.values.map((v) => [expand(v), {}])) },
      };
    case "cmd":
      return { ...run, Cmd: commandWords(instruction.command, run) };
    case "entrypoint":
      return withEntrypoint(run, commandWords(instruction.command, run), cmdSet);
    case "shell":
      return { ...run, Shell: instruction.words };
    case "healthcheck":
      return { ...run, Healthcheck: healthcheck(instruction, run) };
    case "onbuild":
      return { ...run, OnBuild: [...(run.OnBuild ?? []), instruction.value] };
  }
}

function expandPair(expand: (word: string) => string): (pair: { key: string; value: string }) => [string, string] {
  return ({ key, value }) => [expand(key), expand(value)];
}

/** A variable keeps its place in the list when it is set again. */
function withEnv(env: readonly string[], pairs: readonly [string, string][]): string[] {
  const next = [...env];
  for (const [key, value] of pairs) {
    const at = next.findIndex((entry) => entry.startsWith(`${key}=`));
    if (at === -1) next.push(`${key}=${value}`);
    else next[at] = `${key}=${value}`;
  }
  return next;
}

function commandWords(command: CommandForm, run: RunConfig): readonly string[] {
  return command.form === "exec" ? command.words : [...(run.Shell ?? ["/bin/sh", "-c"]), command.text];
}

/** Docker: an ENTRYPOINT drops the base image's CMD, but not one of the same stage. */
function withEntrypoint(run: RunConfig, words: readonly string[], cmdSet: boolean): RunConfig {
  if (cmdSet) return { ...run, Entrypoint: words };
  const { Cmd: _dropped, ...rest } = run;
  return { ...rest, Entrypoint: words };
}

/** `80` → `80/tcp`; `8000-8002/udp` → three ports. */
function exposedPorts(values: readonly string[]): Record<string, object> {
  const ports: Record<string, object> = {};
  for (const value of values.flatMap((word) => word.split(/\s+/)).filter((word) => word !== "")) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(value);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || first > last || last > 65_535) {
      throw new InstructionProblem(`"${value}" is not a port: write 80, 80/udp or 8000-8005`);
    }
    for (let port = first; port <= last; port++) ports[`${port}/${(match[3] ?? "tcp").toLowerCase()}`] = {};
  }
  return ports;
}

const durationFields = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
} as const;

function healthcheck(instruction: HealthcheckInstruction, run: RunConfig): Healthcheck {
  const { test, options } = instruction;
  if (test === undefined) return { Test: ["NONE"] };
  const found: Record<string, number> = {};
  for (const [option, field] of Object.entries(durationFields)) {
    const text = options[option];
    if (text === undefined) continue;
    const ms = parseGoDuration(text);
    if (ms === undefined || ms < 0)
      throw new InstructionProblem(`--${option} must be a duration such as 30s: it is "${text}"`);
    found[field] = Math.round(ms * 1e6);
  }
  const retries = options["retries"];
  if (retries !== undefined) {
    if (!/^\d+$/.test(retries)) throw new InstructionProblem(`--retries must be a whole number: it is "${retries}"`);
    found["Retries"] = Number(retries);
  }
  const shell = run.Shell === undefined ? ["CMD-SHELL"] : ["CMD", ...run.Shell];
  const words = test.form === "exec" ? ["CMD", ...test.words] : [...shell, test.text];
  return { Test: words, ...found };
}
