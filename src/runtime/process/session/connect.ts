import { connect, type Socket } from "node:net";
import { errorCode } from "#lib";
import { RuntimeError } from "../../errors.ts";

const connectMs = 10_000;

/** A connection, half-closed by either side alone. Throws in the words of a dialling kubelet. */
export async function connectTo(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, signal });
  socket.setTimeout(connectMs, () => socket.destroy(new Error("i/o timeout")));
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
  } catch (error) {
    signal.throwIfAborted();
    const why = errorCode(error) === "ECONNREFUSED" ? "connection refused" : (error as Error).message;
    throw new RuntimeError("runtime/no-port", `connect to ${host}:${port}: ${why}`, { cause: error });
  }
  socket.setTimeout(0);
  return socket;
}
