/** One reader an instruction: words to a typed instruction, problems reported with the instruction's place. */
import type { Location } from "#lib";
import type { CommandForm, Heredoc, Instruction, KeyValue } from "./instruction.ts";
import { splitQuoted } from "./expand.ts";

export interface InstructionSource {
  readonly keyword: string;
  readonly rest: string;
  readonly heredocs: readonly Heredoc[];
  readonly escape: string;
  readonly at: Location;
  readonly text: string;
  report(message: string, severity?: "error" | "warning"): void;
}

type Reader = (source: InstructionSource) => Instruction | undefined;

export const instructionReaders: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["RUN", readRun],
  ["COPY", readCopy],
  ["ADD", readCopy],
  ["ENV", readPairs],
  ["LABEL", readPairs],
  ["ARG", readArg],
  ["WORKDIR", readValue],
  ["USER", readValue],
  ["STOPSIGNAL", readValue],
  ["MAINTAINER", readValue],
  ["ONBUILD", readOnbuild],
  ["EXPOSE", readValues],
  ["VOLUME", readValues],
  ["CMD", readCommand],
  ["ENTRYPOINT", readCommand],
  ["SHELL", readShell],
  ["HEALTHCHECK", readHealthcheck],
]);

function readRun(source: InstructionSource): Instruction {
  const { rest } = takeFlags(source, new Set(["mount", "network", "security", "device"]));
  const { at, text, heredocs } = source;
  return { kind: "run", at, text, heredocs, command: commandForm(rest, source) };
}

const copyFlags = new Set(["from", "chown", "chmod", "link", "exclude"]);
const addFlags = new Set(["chown", "chmod", "link", "exclude", "checksum", "keep-git-dir", "unpack"]);

function readCopy(source: InstructionSource): Instruction | undefined {
  const kind = source.keyword === "COPY" ? "copy" : "add";
  const { flags, rest } = takeFlags(source, kind === "copy" ? copyFlags : addFlags);
  const words = jsonWords(rest) ?? rest.split(/\s+/).filter((word) => word !== "");
  const destination = words.at(-1);
  if (words.length < 2 || destination === undefined) {
    source.report(`${source.keyword} needs at least one source and a destination`);
    return undefined;
  }
  const sources = words.slice(0, -1).filter((word) => !/^<<-?["']?[a-zA-Z_]/.test(word));
  const { at, text, heredocs } = source;
  const last = (name: string): string | undefined => flags.get(name)?.at(-1);
  const from = last("from");
  const chown = last("chown");
  const chmod = last("chmod");
  return {
    kind,
    at,
    text,
    sources,
    heredocs,
    destination,
    exclude: flags.get("exclude") ?? [],
    ...(from === undefined ? {} : { from }),
    ...(chown === undefined ? {} : { chown }),
    ...(chmod === undefined ? {} : { chmod }),
  };
}

function readPairs(source: InstructionSource): Instruction | undefined {
  const kind = source.keyword === "ENV" ? "env" : "label";
  const pairs = keyValues(source);
  return pairs === undefined ? undefined : { kind, at: source.at, text: source.text, pairs };
}

/** `KEY=value KEY2="a b"`, or the old form `KEY the rest of the line`. */
function keyValues(source: InstructionSource): KeyValue[] | undefined {
  const words = splitQuoted(source.rest, source.escape);
  if (words[0]?.includes("=") !== true) {
    const match = /^(\S+)\s+([\s\S]+)$/.exec(source.rest);
    if (match === null) {
      source.report(`${source.keyword} must read ${source.keyword} <key>=<value>: no value for "${source.rest}"`);
      return undefined;
    }
    return [{ key: match[1] ?? "", value: match[2] ?? "" }];
  }
  const pairs: KeyValue[] = [];
  for (const word of words) {
    const equals = word.indexOf("=");
    if (equals <= 0) {
      source.report(`"${word}" has no value: write <key>=<value>, with quotes around spaces`);
      return undefined;
    }
    pairs.push({ key: word.slice(0, equals), value: word.slice(equals + 1) });
  }
  return pairs;
}

function readArg(source: InstructionSource): Instruction {
  const names = splitQuoted(source.rest, source.escape).map((word) => {
    const equals = word.indexOf("=");
    return equals === -1 ? { name: word } : { name: word.slice(0, equals), value: word.slice(equals + 1) };
  });
  for (const { name } of names) {
    if (!/^[a-zA-Z_]\w*$/.test(name)) source.report(`"${name}" is not a name for an ARG`);
  }
  return { kind: "arg", at: source.at, text: source.text, names };
}

const valueKinds = {
  WORKDIR: "workdir",
  USER: "user",
  STOPSIGNAL: "stopsignal",
  MAINTAINER: "maintainer",
} as const satisfies Record<string, Instruction["kind"]>;

function readValue(source: InstructionSource): Instruction {
  const kind = valueKinds[source.keyword as keyof typeof valueKinds];
  if ((kind === "user" || kind === "stopsignal") && /\s/.test(source.rest)) {
    source.report(`${source.keyword} takes exactly one argument`);
  }
  return { kind, at: source.at, text: source.text, value: source.rest };
}

function readOnbuild(source: InstructionSource): Instruction | undefined {
  const inner = (/^\S+/.exec(source.rest)?.[0] ?? "").toUpperCase();
  if (inner === "FROM" || inner === "ONBUILD" || inner === "MAINTAINER" || !instructionReaders.has(inner)) {
    source.report(`ONBUILD cannot hold ${inner === "" ? "nothing" : `"${inner}"`}: name another instruction`);
    return undefined;
  }
  return { kind: "onbuild", at: source.at, text: source.text, value: source.rest };
}

function readValues(source: InstructionSource): Instruction {
  const kind = source.keyword === "EXPOSE" ? "expose" : "volume";
  const values = jsonWords(source.rest) ?? source.rest.split(/\s+/).filter((word) => word !== "");
  return { kind, at: source.at, text: source.text, values };
}

function readCommand(source: InstructionSource): Instruction {
  const kind = source.keyword === "CMD" ? "cmd" : "entrypoint";
  return { kind, at: source.at, text: source.text, command: commandForm(source.rest, source) };
}

function readShell(source: InstructionSource): Instruction | undefined {
  const words = jsonWords(source.rest);
  if (words === undefined || words.length === 0) {
    source.report('SHELL must be a JSON list, for example SHELL ["/bin/bash", "-c"]');
    return undefined;
  }
  return { kind: "shell", at: source.at, text: source.text, words };
}

const healthcheckFlags = new Set(["interval", "timeout", "start-period", "start-interval", "retries"]);

function readHealthcheck(source: InstructionSource): Instruction | undefined {
  const { flags, rest } = takeFlags(source, healthcheckFlags);
  const { at, text } = source;
  const options = Object.fromEntries([...flags].map(([name, values]) => [name, values.at(-1) ?? ""]));
  if (/^NONE$/i.test(rest)) return { kind: "healthcheck", at, text, test: undefined, options };
  const match = /^CMD\s+([\s\S]+)$/i.exec(rest);
  if (match === null) {
    source.report("HEALTHCHECK must read HEALTHCHECK [options] CMD <command>, or HEALTHCHECK NONE");
    return undefined;
  }
  return { kind: "healthcheck", at, text, test: commandForm(match[1] ?? "", source), options };
}

function commandForm(text: string, source: InstructionSource): CommandForm {
  const words = jsonWords(text);
  if (words !== undefined) return { form: "exec", words };
  if (/^\[\s*['"][^\]]*\]\s*$/.test(text)) {
    source.report(
      `${source.keyword} looks like a JSON list but is none (double quotes only), so a shell will run it`,
      "warning",
    );
  }
  return { form: "shell", text };
}

function jsonWords(text: string): readonly string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((word) => typeof word === "string") ? value : undefined;
  } catch {
    return undefined;
  }
}

function takeFlags(
  source: InstructionSource,
  known: ReadonlySet<string>,
): { flags: Map<string, string[]>; rest: string } {
  const flags = new Map<string, string[]>();
  let rest = source.rest;
  for (;;) {
    const match = /^--([a-z-]+)(?:=(\S*))?(?:\s+|$)/.exec(rest);
    if (match === null) return { flags, rest };
    const [whole, name = "", value = "true"] = match;
    if (!known.has(name)) {
      source.report(`Unknown flag "--${name}": ${source.keyword} takes ${[...known].map((k) => `--${k}`).join(", ")}`);
    }
    flags.set(name, [...(flags.get(name) ?? []), value]);
    rest = rest.slice(whole.length);
  }
}
