/** Images by the names that people write, and the progress an engine streams while it fetches or makes one. */
import type { Readable } from "node:stream";
import type { EngineClient } from "./engine-client.ts";
import { ImageRefused, isEngineStatus } from "./errors.ts";
import { jsonLines } from "./json-lines.ts";

export interface EngineLogin {
  readonly username: string;
  readonly password: string;
}

const registryHost = /^[^/]+/;

/** `host:5000/app:1` → `host:5000/app` and `1`; a digest goes where the tag goes. */
export function splitReference(reference: string): { readonly repository: string; readonly tag: string } {
  const [name = "", digest] = reference.split("@");
  const colon = name.lastIndexOf(":");
  const tagged = colon > name.lastIndexOf("/");
  const repository = tagged ? name.slice(0, colon) : name;
  return { repository, tag: digest ?? (tagged ? name.slice(colon + 1) : "latest") };
}

/** Engine API, "Authentication": JSON in base64url, padded: Docker takes what ends within a group for no login at all. */
export function registryAuthOf(reference: string, login: EngineLogin): string {
  const serveraddress = registryHost.exec(reference)?.[0] ?? "";
  const { username, password } = login;
  const text = Buffer.from(JSON.stringify({ username, password, serveraddress })).toString("base64");
  return text.replaceAll("+", "-").replaceAll("/", "_");
}

/** The engine pulls by itself. Throws `engine/no-image` in the engine's words. */
export async function pullImage(
  engine: EngineClient,
  reference: string,
  login: EngineLogin | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { repository, tag } = splitReference(reference);
  const query = { fromImage: repository, tag };
  const auth = login === undefined ? {} : { registryAuth: registryAuthOf(reference, login) };
  await readProgress(await engine.stream("POST", "/images/create", { query, ...auth, signal }));
}

export async function hasImage(engine: EngineClient, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await engine.send("GET", `/images/${encodeURIComponent(name)}/json`, { signal });
    return true;
  } catch (error) {
    if (isEngineStatus(error, 404)) return false;
    throw error;
  }
}

/**
 * Reads progress to its end: what went wrong meanwhile stands in it, under a status of 200, and is thrown as
 * `engine/no-image`.
 *
 * @param say gets what a build prints
 */
export async function readProgress(stream: Readable, say: (text: string) => void = () => {}): Promise<void> {
  for await (const line of jsonLines(stream)) {
    const { error, stream: printed } = line;
    if (typeof error === "string") throw new ImageRefused("engine/no-image", error);
    if (typeof printed === "string" && printed.trim() !== "") say(printed.trimEnd());
  }
}
