/** Starts a container's shim, with the input and the terminal that were asked for. */
import { spawn, type StdioOptions } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { errorCode, writeFileAtomic } from "#lib";
import { RuntimeError } from "../errors.ts";
import { environmentFd } from "../isolation/enter-plan.ts";
import { ProcessContainer, type ProcessContainerOptions } from "./process-container.ts";
import { makeNamedPipe } from "./session/named-pipe.ts";
import { openPseudoTerminal } from "./session/pseudo-terminal.ts";

export interface ContainerProcess {
  readonly shim: string;
  readonly options: ProcessContainerOptions;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /**
   * What the processes that lead to the program are started with, where that is not the program's own environment: that
   * one comes through a pipe then, once they have given up their rights.
   */
  readonly outerEnvironment?: Readonly<Record<string, string>>;
  readonly hostPath: string;
  readonly signal: AbortSignal;
}

export async function spawnContainer(wanted: ContainerProcess): Promise<ProcessContainer> {
  const { folder, facts } = wanted.options;
  const { environment } = wanted;
  if (facts.stdin !== undefined) await makeNamedPipe(join(folder, "stdin"), wanted.hostPath, wanted.signal);
  const opened: number[] = [];
  try {
    const output = openSync(join(folder, "output.log"), "a", 0o600);
    opened.push(output);
    const stdio: StdioOptions = ["ignore", output, output];
    if (facts.tty === true) {
      const { master, slave, path } = await openPseudoTerminal();
      opened.push(master, slave);
      await writeFileAtomic(join(folder, "tty"), `${path}\n`);
      stdio.push("ignore", master, slave);
    }
    const { outerEnvironment } = wanted;
    if (outerEnvironment !== undefined) {
      while (stdio.length < environmentFd) stdio.push("ignore");
      stdio.push("pipe");
    }
    const child = spawn("/bin/sh", [wanted.shim, folder, ...wanted.argv], {
      cwd: facts.workingDir,
      env: outerEnvironment ?? (facts.tty === true ? { TERM: "xterm", ...environment } : environment),
      detached: true,
      stdio,
    });
    const container = ProcessContainer.child(wanted.options, child);
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    const pipe =
      outerEnvironment === undefined ? undefined : ((child.stdio as readonly unknown[])[environmentFd] as Writable);
    // It may end before it has read; how it ended says why.
    pipe?.on("error", () => {});
    pipe?.end(JSON.stringify(environment));
    return container;
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const message = `Cannot start container "${facts.name}": ${errorCode(error) ?? "the process cannot be made"}`;
    throw new RuntimeError("runtime/start-failed", message, { cause: error });
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}
