import type { ImageConfig } from "../../ports.ts";
import type { TarEntry } from "../../testing.ts";

const server = `
  const http = require("node:http");
  const server = http.createServer((request, response) => response.end("pid " + process.pid));
  server.listen(process.env.PORT, "127.0.0.1", () => console.log("listening"));
`;

/** An HTTP server that tells its pid and listens on PORT; the absolute path exists in the image only. */
export const serverImage: [ImageConfig, TarEntry[][]] = [
  { Cmd: ["node", "/srv/server.js"], WorkingDir: "/srv" },
  [[{ name: "srv/server.js", content: server }]],
];
