import type { Problem } from "#lib";
import { limits } from "./limits.ts";
import type { FileTree } from "./ports.ts";

/** The file's bytes, within the size limit; undefined with a problem when too large, undefined without when missing. */
export async function readBytes(tree: FileTree, path: string, problems: Problem[]): Promise<Uint8Array | undefined> {
  const content = await tree.read(path);
  if (content === undefined) return undefined;
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  if (bytes.byteLength <= limits.fileBytes) return bytes;
  const message = `Cannot read the file: it has ${bytes.byteLength} bytes, at most ${limits.fileBytes} are read`;
  problems.push({ path: "", message, at: { file: path } });
  return undefined;
}

/** The same as text. Bytes that are not UTF-8 are a problem. */
export async function readText(tree: FileTree, path: string, problems: Problem[]): Promise<string | undefined> {
  const bytes = await readBytes(tree, path, problems);
  if (bytes === undefined) return undefined;
  const text = decodeUtf8(bytes);
  if (text !== undefined) return text;
  problems.push({ path: "", message: "Cannot read the file: it is not UTF-8 text", at: { file: path } });
  return undefined;
}

/** The text without byte order mark, or undefined when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
