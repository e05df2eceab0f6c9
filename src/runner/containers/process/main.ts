/**
 * Listens on a port of the loopback it is started in (that of a job's container) and passes connections on to a Unix
 * socket of the machine. Says one line once it listens. `node main.ts <port> <socket>`
 */
import { connect, createServer } from "node:net";

const [port = "0", socket = ""] = process.argv.slice(2);

const server = createServer((client) => {
  const target = connect(socket);
  client.on("error", () => target.destroy());
  target.on("error", () => client.destroy());
  client.pipe(target).pipe(client);
});
server.on("error", (error) => {
  process.stderr.write(`Cannot listen on port ${port} in the container: ${error.message}\n`);
  process.exitCode = 1;
});
server.listen(Number(port), "127.0.0.1", () => process.stdout.write("listening\n"));
