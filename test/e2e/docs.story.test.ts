/** The tutorial, typed as it stands into terminals by a reader with nothing but what it asks for. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/steps.ts";
import { skipWithout } from "../support/needs.ts";
import { Terminal } from "../support/terminal.ts";
import { missingLines, readTutorial, type TutorialBlock } from "../support/tutorial.ts";

/** Long enough for a canary on a busy machine. */
const patienceMs = 90_000;

test("the tutorial does what it says", { timeout: 600_000 }, async (context) => {
  await using reader = await startReader();
  const blocks = readTutorial(await readFile(join(root, "docs", "tutorial.md"), "utf8"));
  assert.ok(blocks.length > 10, "the tutorial's blocks were found");
  for (const block of blocks.filter(({ everyTerminal }) => !everyTerminal)) {
    if (block.needs !== undefined && skipWithout(block.needs, ["version", "--client"]) !== false) continue;
    await context.test(`line ${block.line}: ${block.commands.split("\n")[0]}`, () => reader.type(block, blocks));
  }
});

interface Reader extends AsyncDisposable {
  type(block: TutorialBlock, all: readonly TutorialBlock[]): Promise<void>;
}

async function startReader(): Promise<Reader> {
  const home = await mkdtemp(join(tmpdir(), "tidegate-tutorial-"));
  const terminals = new Map<string, Terminal>();
  const env = readerEnvironment(home);
  const open = async (name: string, all: readonly TutorialBlock[]): Promise<Terminal> => {
    const known = terminals.get(name);
    if (known !== undefined) return known;
    const terminal = new Terminal(root, env);
    terminals.set(name, terminal);
    for (const { commands } of all.filter(({ everyTerminal }) => everyTerminal)) {
      await terminal.run(commands, AbortSignal.timeout(patienceMs));
    }
    return terminal;
  };
  return {
    async type(block, all) {
      const terminal = await open(block.terminal, all);
      const commands = withPorts(block.commands, await readPorts(home));
      const patience = AbortSignal.timeout(patienceMs);
      if (block.terminal === "") {
        const output = await terminal.run(commands, patience);
        assert.deepEqual(missingLines(block.promised, output), [], `promised, and not in:\n${output}`);
        return;
      }
      terminal.start(commands);
      const kept = (output: string): boolean => missingLines(block.promised, output).length === 0;
      await terminal.until(kept, patience).catch(() => {});
      assert.deepEqual(missingLines(block.promised, terminal.output), [], `promised, and not in:\n${terminal.output}`);
    },
    async [Symbol.asyncDispose]() {
      // A tutorial that broke off has not come to its own end.
      const last = new Terminal(root, env);
      const down = `TIDEGATE_HOME="$HOME/.tidegate" src/cli/bin.js down`;
      await last.run(down, AbortSignal.timeout(patienceMs)).catch(() => {});
      for (const terminal of [last, ...terminals.values()]) await terminal[Symbol.asyncDispose]();
      await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

/** What a reader has: the machine's own tools, a home of their own; and here, ports that nobody else uses. */
function readerEnvironment(home: string): Record<string, string> {
  const own = join(root, "node_modules", ".bin");
  const path = (process.env["PATH"] ?? "").split(":").filter((folder) => folder !== own);
  const { LANG = "C.UTF-8" } = process.env;
  return {
    PATH: path.join(":"),
    HOME: home,
    LANG,
    TIDEGATE_PORT: "0",
    TIDEGATE_TRAFFIC_PORT: "0",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Ada",
    GIT_AUTHOR_EMAIL: "ada@example.com",
    GIT_COMMITTER_NAME: "Ada",
    GIT_COMMITTER_EMAIL: "ada@example.com",
  };
}

interface Ports {
  readonly controlPort: number;
  readonly trafficPort: number;
}

async function readPorts(home: string): Promise<Ports | undefined> {
  const text = await readFile(join(home, ".tidegate", "endpoints.json"), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Ports);
}

function withPorts(commands: string, ports: Ports | undefined): string {
  if (ports === undefined) return commands;
  return commands
    .replaceAll("localhost:8080", `localhost:${ports.trafficPort}`)
    .replaceAll("127.0.0.1:7070", `127.0.0.1:${ports.controlPort}`);
}
