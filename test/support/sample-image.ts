/** A small web server as a container image, brought into the registry by skopeo, for tests. */
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { run } from "./run-command.ts";
import type { Tidegate } from "./start-tidegate.ts";

/** Answers `version` to everything (status 500 on /fail), says on its output what it does, and stops gracefully. */
export function serverSource(version: string): string {
  return `
const server = require("node:http").createServer((request, response) => {
  console.log(request.method + " " + request.url);
  response.writeHead(request.url === "/fail" ? 500 : 200, { "x-version": "${version}" });
  response.end("${version}\\n");
});
server.listen(process.env.PORT, () => console.log("${version} listens"));
process.on("SIGTERM", () => {
  console.log("${version} stops");
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
`;
}

const mediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

export interface ImageContent {
  readonly config: Readonly<Record<string, unknown>>;
  /** Writes the image's files. */
  readonly fill: (root: string) => Promise<void>;
}

/** The server as a script for the machine's Node.js. */
function scriptContent(version: string): ImageContent {
  return {
    config: { Cmd: ["node", "server.js"], WorkingDir: "/app" },
    async fill(root) {
      await mkdir(join(root, "app"), { recursive: true });
      await writeFile(join(root, "app", "server.js"), serverSource(version));
    },
  };
}

/** A server with a root file system of its own: a busybox without shared libraries, which answers `version` to `/`. */
export function rootContent(version: string, busybox: string): ImageContent {
  const serve = "trap 'exit 0' TERM; httpd -f -p 8080 -h /www & echo listens; wait";
  return {
    config: { Cmd: ["sh", "-c", serve] },
    async fill(root) {
      for (const folder of ["bin", "www", "tmp"]) await mkdir(join(root, folder), { recursive: true });
      await copyFile(busybox, join(root, "bin", "busybox"));
      const names = [
        "sh",
        "httpd",
        "ls",
        "cat",
        "id",
        "ps",
        "wget",
        "hostname",
        "head",
        "tail",
        "grep",
        "sleep",
        "touch",
      ];
      for (const name of names) await symlink("busybox", join(root, "bin", name));
      for (const page of ["index.html", "ready"]) await writeFile(join(root, "www", page), `${version}\n`);
    },
  };
}

/** An OCI image layout (image-spec, "OCI Image Layout") with one image, `latest`; its folder. */
export async function imageLayout(
  tidegate: Tidegate,
  version: string,
  content: ImageContent = scriptContent(version),
): Promise<string> {
  const folder = await mkdtemp(join(tidegate.scratch, "image-"));
  const root = join(folder, "root");
  await mkdir(root);
  await content.fill(root);
  await mkdir(join(folder, "blobs", "sha256"), { recursive: true });
  const tar = ["--create", "--file", join(folder, "layer.tar"), "--mtime=@0", "--sort=name", "--owner=0", "--group=0"];
  await run("tar", [...tar, "--directory", root, "."], { env: tidegate.env });
  const layer = await readFile(join(folder, "layer.tar"));
  const packed = await put(folder, mediaTypes.layer, gzipSync(layer));
  const config = await putJson(folder, mediaTypes.config, {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: { ...content.config, ExposedPorts: { "8080/tcp": {} } },
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
  });
  const { manifest: mediaType } = mediaTypes;
  const manifest = await putJson(folder, mediaType, { schemaVersion: 2, mediaType, config, layers: [packed] });
  const named = { ...manifest, annotations: { "org.opencontainers.image.ref.name": "latest" } };
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [named] };
  await writeFile(join(folder, "index.json"), JSON.stringify(index));
  await writeFile(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  return folder;
}

/** Pushes the server as `repository:tag`, by default tagged with its version; the image's name. */
export async function pushImage(
  tidegate: Tidegate,
  repository: string,
  version: string,
  content: ImageContent = scriptContent(version),
): Promise<string> {
  const image = `127.0.0.1:${tidegate.controlPort}/${repository}:${version}`;
  const layout = await imageLayout(tidegate, version, content);
  const login = ["--dest-tls-verify=false", `--dest-creds=ada:${tidegate.adminToken}`];
  await run("skopeo", ["copy", "--quiet", ...login, `oci:${layout}:latest`, `docker://${image}`], {
    env: tidegate.env,
  });
  return image;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

async function putJson(folder: string, mediaType: string, content: unknown): Promise<Descriptor> {
  return await put(folder, mediaType, Buffer.from(JSON.stringify(content)));
}

async function put(folder: string, mediaType: string, content: Buffer): Promise<Descriptor> {
  const digest = digestOf(content);
  await writeFile(join(folder, "blobs", digest.replace(":", "/")), content);
  return { mediaType, digest, size: content.length };
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
