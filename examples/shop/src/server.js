import { readFileSync } from "node:fs";
import { createShop } from "./app.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const port = Number(process.env.PORT ?? 8080);
const server = createShop({ version });

server.listen(port, () => console.log(`shop ${version} listens on port ${port}`));

// Stop taking connections, finish the requests that run, then leave: the whole of a graceful stop.
process.once("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
