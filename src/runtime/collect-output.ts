/** Both streams of a session, cut to a size, and its exit code. */
import type { Readable } from "node:stream";
import type { ContainerSession, ExecResult } from "./pod-runtime.ts";

export async function collectOutput(
  session: ContainerSession,
  maxBytes: number,
  signal: AbortSignal,
): Promise<ExecResult> {
  const chunks: Buffer[] = [];
  let size = 0;
  const take = async (source: Readable | undefined): Promise<void> => {
    if (source === undefined) return;
    for await (const chunk of source as AsyncIterable<Buffer>) {
      // What is too much is read and dropped: the command must not wait for a reader.
      if (size < maxBytes) chunks.push(chunk.subarray(0, maxBytes - size));
      size += chunk.length;
    }
  };
  const aborted = new Promise<never>((_resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
  const done = Promise.all([session.exitCode, take(session.stdout), take(session.stderr)]);
  done.catch(() => {});
  const [exitCode] = await Promise.race([done, aborted]);
  return { exitCode, output: Buffer.concat(chunks).toString("utf8") };
}
