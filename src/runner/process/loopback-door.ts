/**
 * On another machine, the server's addresses as jobs know them (`127.0.0.1:7070`, `tidegate.localhost:7070`) lead
 * nowhere. This door opens the same port on that machine's loopback and passes connections on to the server.
 */
import { connect as connectPlain, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { AppError, errorCode, withDeadline } from "#lib";

class DoorError extends AppError<"runner/port-taken"> {}

const askMs = 5_000;

/** Nothing to do where the port is the server's own: the runner is on its machine. */
export async function openDoors(
  ports: readonly number[],
  controlUrl: string,
  token: string,
  owned: AsyncDisposableStack,
): Promise<void> {
  for (const port of ports) {
    if (await leadsToServer(port, token)) continue;
    const server = await listen(port, new URL(controlUrl));
    owned.defer(() => {
      server.close();
    });
  }
}

/** Whether somebody listens there who knows this runner. */
async function leadsToServer(port: number, token: string): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/api/tidegate/v1/runner/self`, {
      headers: { authorization: `Bearer ${token}` },
      signal: withDeadline(new AbortController().signal, askMs),
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

async function listen(port: number, url: URL): Promise<Server> {
  const server = createServer((client) => {
    const target = open(url);
    client.on("error", () => target.destroy());
    target.on("error", () => client.destroy());
    client.pipe(target).pipe(client);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
  } catch (error) {
    if (errorCode(error) !== "EADDRINUSE") throw error;
    const message = `Cannot start the runner: jobs reach the server at port ${port} of their own machine, and another program has it. Stop that program, or give the server another port`;
    throw new DoorError("runner/port-taken", message, { cause: error });
  }
  return server;
}

function open(url: URL): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (url.protocol === "https:") return connectTls({ host, port: Number(url.port) || 443, servername: host });
  return connectPlain({ host, port: Number(url.port) || 80 });
}
