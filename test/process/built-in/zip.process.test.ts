import { deepEqual, equal, rejects } from "node:assert/strict";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { after, before, test } from "node:test";
import { commandOutput, streamZip } from "#lib";
import { extractZip } from "../../../src/runner/actions/zip/extract-zip.ts";
import { writeZip } from "../../../src/runner/actions/zip/write-zip.ts";
import { skipWithout } from "../../support/needs.ts";

const skip = skipWithout("python3");
const signal = AbortSignal.timeout(60_000);
const env = { PATH: process.env["PATH"] ?? "" };
let folder = "";
before(async () => void (folder = await mkdtemp(join(tmpdir(), "zip-"))));
after(async () => await rm(folder, { recursive: true, force: true }));

/** Python's own reader and writer, as somebody else's. */
const python = {
  async read(path: string): Promise<Record<string, string>> {
    const script =
      "import json,sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(json.dumps({n: z.read(n).decode()[:40] for n in z.namelist()}))";
    return JSON.parse((await commandOutput("python3", ["-c", script, path], { env, signal })).toString()) as Record<
      string,
      string
    >;
  },
  async write(path: string, files: Readonly<Record<string, string>>): Promise<void> {
    const script =
      "import json,sys,zipfile; z=zipfile.ZipFile(sys.argv[1],'w',zipfile.ZIP_DEFLATED); [z.writestr(n,t) for n,t in json.loads(sys.argv[2]).items()]; z.close()";
    await commandOutput("python3", ["-c", script, path, JSON.stringify(files)], { env, signal });
  },
};

test("what is packed while it is sent is read by others and by us", { skip }, async () => {
  const texts = { "0_a.txt": "line\n".repeat(40_000), "a/1_ü.txt": "b", "a/2_none.txt": "" };
  async function* pieces(text: string): AsyncGenerator<string> {
    await Promise.resolve();
    for (let at = 0; at < text.length; at += 1000) yield text.slice(at, at + 1000);
  }
  const time = new Date(2026, 1, 3, 4, 5, 6);
  const parts = Object.entries(texts).map(([name, text]) => ({ name, time, content: pieces(text) }));
  const path = join(folder, "streamed.zip");
  await pipeline(streamZip(parts), createWriteStream(path));
  deepEqual(
    await python.read(path),
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, text.slice(0, 40)])),
  );
  const into = join(folder, "streamed");
  equal(await extractZip(path, into, signal), 3);
  equal(await readFile(join(into, "0_a.txt"), "utf8"), texts["0_a.txt"]);
});

test("what cannot be read ends an archive that is being sent with its error", async () => {
  async function* broken(): AsyncGenerator<string> {
    yield await Promise.resolve("x".repeat(100_000));
    throw new Error("the disk is gone");
  }
  const parts = [{ name: "a", time: new Date(0), content: broken() }];
  await rejects(pipeline(streamZip(parts), createWriteStream(join(folder, "broken.zip"))), /the disk is gone/);
});

for (const level of [0, 1, 9]) {
  test(`what is packed at level ${level} is read by others and by us`, { skip }, async () => {
    const texts = { "a.txt": "a".repeat(700_000), "sub/ü – b.txt": "b", empty: "" };
    const from = join(folder, `from-${level}`);
    await mkdir(join(from, "sub"), { recursive: true });
    const sources = Object.keys(texts).map((name) => ({ name, file: join(from, name) }));
    for (const [name, text] of Object.entries(texts)) await writeFile(join(from, name), text);
    const path = join(folder, `${level}.zip`);
    await writeZip(path, sources, level, signal);
    deepEqual(await python.read(path), { "a.txt": "a".repeat(40), "sub/ü – b.txt": "b", empty: "" });
    const to = join(folder, `to-${level}`);
    equal(await extractZip(path, to, signal), 3);
    for (const [name, text] of Object.entries(texts)) equal(await readFile(join(to, name), "utf8"), text);
  });
}

test("an archive of somebody else is unpacked", { skip }, async () => {
  const path = join(folder, "other.zip");
  await python.write(path, { "x/y.txt": "hello", "z.txt": "z".repeat(10_000) });
  equal(await extractZip(path, join(folder, "other"), signal), 2);
  equal(await readFile(join(folder, "other", "x", "y.txt"), "utf8"), "hello");
});

test("nothing gets outside of the folder, whatever an archive calls its files", { skip }, async () => {
  for (const name of ["../escaped.txt", "/escaped.txt", "a/../../escaped.txt", "..\\escaped.txt"]) {
    const path = join(folder, "evil.zip");
    await python.write(path, { [name]: "x" });
    const into = join(folder, "jail");
    await extractZip(path, into, signal).catch(() => 0);
    await rejects(readFile(join(folder, "escaped.txt")), { code: "ENOENT" }, name);
    await rejects(readFile("/escaped.txt"), { code: "ENOENT" }, name);
  }
});

test("what is cut off, changed, or no archive at all is said to be", { skip }, async () => {
  const path = join(folder, "good.zip");
  await python.write(path, { "z.txt": "some text that is packed" });
  const bytes = await readFile(path);
  const broken = join(folder, "broken.zip");
  await writeFile(broken, bytes.subarray(0, bytes.length - 30));
  await rejects(
    extractZip(broken, join(folder, "b1"), signal),
    /no ZIP file, or not all of one|list of files is damaged/,
  );
  const changed = Buffer.from(bytes);
  changed[38] = (changed[38] ?? 0) ^ 0xff;
  await writeFile(broken, changed);
  await rejects(extractZip(broken, join(folder, "b2"), signal));
  await writeFile(broken, "not a zip");
  await rejects(extractZip(broken, join(folder, "b3"), signal), /no ZIP file/);
});
