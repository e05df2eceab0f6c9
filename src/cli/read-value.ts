/** The value of a secret from whoever runs the command: piped in, or typed at a terminal that does not show it. */
import { once } from "node:events";
import { maxEntryBytes } from "#api";
import { CliError } from "./errors.ts";
import { emptyLine, pipedValue, typeKeys } from "./typed-line.ts";

/** Never from argv, which every user of the machine may read. */
export async function readValue(name: string, signal: AbortSignal): Promise<string> {
  return process.stdin.isTTY ? await promptHidden(`Value of ${name}: `, signal) : await readPiped(name);
}

async function readPiped(name: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    // Two more, for a line end that does not count.
    if (bytes > maxEntryBytes + 2) {
      throw new CliError("cli/usage", `The value of "${name}" is too large: at most ${maxEntryBytes} bytes (48 KiB)`);
    }
  }
  try {
    return pipedValue(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw new CliError("cli/usage", `The value of "${name}" is not UTF-8 text: encode it, e.g. with base64`);
  }
}

async function promptHidden(prompt: string, signal: AbortSignal): Promise<string> {
  const { stdin, stderr } = process;
  // First: what is typed from the prompt on is not shown.
  stdin.setRawMode(true);
  stderr.write(prompt);
  try {
    stdin.setEncoding("utf8").resume();
    let line = emptyLine;
    while (line.state === "typing") {
      const [input] = (await once(stdin, "data", { signal })) as [string];
      line = typeKeys(line, input);
    }
    if (line.state === "done") return line.text;
    // In raw mode the terminal makes no signal of Ctrl-C: this is the one it would have sent.
    process.kill(process.pid, "SIGINT");
    // While the terminal is still read from: nothing else keeps the process until its signal arrives.
    if (!signal.aborted) await once(signal, "abort");
    throw signal.reason;
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}
