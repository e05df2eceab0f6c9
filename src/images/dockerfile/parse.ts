/** Dockerfile text to stages and instructions, with every problem found on the way. */
import { nearestName, type Checked, type Location, type Problem } from "#lib";
import type { ArgInstruction, Dockerfile, Instruction, Stage } from "./instruction.ts";
import { readLines, type LogicalLine } from "./lines.ts";
import { instructionReaders, type InstructionSource } from "./read-instruction.ts";

/** Larger than any Dockerfile a person writes. */
const maxDockerfileBytes = 1024 * 1024;

export function parseDockerfile(text: string, file: string): Checked<Dockerfile> {
  if (text.length > maxDockerfileBytes) {
    return { problems: [{ path: "", message: "The Dockerfile is over 1 MiB: make it smaller", at: { file } }] };
  }
  const { escape, badEscape, lines } = readLines(text);
  const problems: Problem[] = [];
  if (badEscape !== undefined) {
    const message = `The escape directive must be \\ or \`: it is "${badEscape.value}"`;
    problems.push({ path: "", message, at: { file, line: badEscape.line, column: 1 } });
  }
  const assembly: Assembly = { globalArgs: [], stages: [], open: undefined };
  for (const line of lines) readInto(assembly, line, { file, escape, problems });
  closeStage(assembly);
  if (assembly.stages.length === 0 && problems.length === 0) {
    problems.push({
      path: "",
      message: "The Dockerfile has no FROM: start it with FROM <image>, or FROM scratch for an empty base",
      at: { file, line: lines[0]?.line ?? 1, column: 1 },
    });
  }
  return { value: { file, escape, globalArgs: assembly.globalArgs, stages: assembly.stages }, problems };
}

/** An instruction that stands in a base image's ONBUILD. */
export function parseTrigger(text: string, file: string, escape: string): Checked<Instruction> {
  const problems: Problem[] = [];
  const line = readLines(text).lines[0];
  if (line === undefined) return { problems };
  const value = readInstruction(line, { file, escape, problems });
  return value === undefined ? { problems } : { value, problems };
}

interface Reading {
  readonly file: string;
  readonly escape: string;
  readonly problems: Problem[];
}

interface Assembly {
  readonly globalArgs: ArgInstruction[];
  readonly stages: Stage[];
  open: { readonly head: Omit<Stage, "instructions">; readonly instructions: Instruction[] } | undefined;
}

function readInto(assembly: Assembly, line: LogicalLine, reading: Reading): void {
  const at: Location = { file: reading.file, line: line.line, column: line.column };
  if (line.openHeredoc !== undefined) {
    const message = `The heredoc "${line.openHeredoc}" has no end: add a line with only ${line.openHeredoc}`;
    reading.problems.push({ path: line.keyword, message, at });
    return;
  }
  if (line.keyword === "FROM") {
    closeStage(assembly);
    openStage(assembly, line, at, reading.problems);
    return;
  }
  const instruction = readInstruction(line, reading);
  if (instruction === undefined) return;
  if (assembly.open !== undefined) assembly.open.instructions.push(instruction);
  else if (instruction.kind === "arg") assembly.globalArgs.push(instruction);
  else {
    const message = `${line.keyword} stands before the first FROM: only ARG may. Start the file with FROM <image>`;
    reading.problems.push({ path: line.keyword, message, at });
  }
}

function closeStage(assembly: Assembly): void {
  if (assembly.open === undefined) return;
  assembly.stages.push({ ...assembly.open.head, instructions: assembly.open.instructions });
  assembly.open = undefined;
}

function openStage(assembly: Assembly, line: LogicalLine, at: Location, problems: Problem[]): void {
  const words = line.rest.split(/\s+/).filter((word) => word !== "");
  let platform: string | undefined;
  while (words[0]?.startsWith("--") === true) {
    const flag = words.shift() ?? "";
    if (flag.startsWith("--platform=")) platform = flag.slice("--platform=".length);
    else problems.push({ path: "FROM", message: `Unknown flag "${flag}": FROM takes --platform only`, at });
  }
  const [base, as, name] = words;
  const named = words.length === 3 && as?.toUpperCase() === "AS";
  if (base === undefined || (words.length !== 1 && !named)) {
    problems.push({ path: "FROM", message: "FROM must read FROM <image> or FROM <image> AS <name>", at });
  }
  if (named && !/^[a-z][a-z0-9-_.]*$/i.test(name ?? "")) {
    const message = `"${name}" is not a stage name: use letters, digits, - _ and ., a letter first`;
    problems.push({ path: "FROM", message, at });
  }
  const head = {
    index: assembly.stages.length,
    base: base ?? "scratch",
    at,
    ...(named && name !== undefined ? { name: name.toLowerCase() } : {}),
    ...(platform === undefined ? {} : { platform }),
  };
  assembly.open = { head, instructions: [] };
}

function readInstruction(line: LogicalLine, reading: Reading): Instruction | undefined {
  const at: Location = { file: reading.file, line: line.line, column: line.column };
  const read = instructionReaders.get(line.keyword);
  if (read === undefined) {
    const near = nearestName(line.keyword, [...instructionReaders.keys(), "FROM"]);
    const hint = near === undefined ? "" : `: did you mean ${near}?`;
    reading.problems.push({ path: "", message: `Unknown instruction "${line.keyword}"${hint}`, at });
    return undefined;
  }
  if (line.rest === "") {
    reading.problems.push({ path: line.keyword, message: `${line.keyword} needs at least one argument`, at });
    return undefined;
  }
  const source: InstructionSource = {
    keyword: line.keyword,
    rest: line.rest,
    heredocs: line.heredocs,
    escape: reading.escape,
    at,
    text: `${line.keyword} ${line.rest.replace(/\s+/g, " ")}`,
    report: (message, severity = "error") => void reading.problems.push({ path: line.keyword, message, at, severity }),
  };
  return read(source);
}
