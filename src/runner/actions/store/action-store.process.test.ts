/** Archives of actions on a real disk: whole or not there, and none leads out of its folder. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pack, type Header } from "tar-stream";
import { silentLog, systemClock, systemIds } from "#lib";
import { drain, readActionArchive } from "#workflows";
import { ActionStore, type Download } from "./action-store.ts";

type Entry = Partial<Header> & { readonly name: string; readonly text?: string };

async function archiveOf(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { text = "", ...header } of entries) archive.entry(header, text);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const good: readonly Entry[] = [
  { name: "action.yml", text: "name: x\n" },
  { name: "dist/", type: "directory" },
  { name: "dist/run.sh", text: "#!/bin/sh\n", mode: 0o755 },
  { name: "dist/link", type: "symlink", linkname: "../action.yml" },
];

const commit = "1".repeat(40);
const signal = AbortSignal.timeout(60_000);
let folder = "";
before(async () => void (folder = await mkdtemp(join(tmpdir(), "action-store-"))));
after(async () => await rm(folder, { recursive: true, force: true }));

let count = 0;
function newStore(): { readonly store: ActionStore; readonly place: string; readonly job: string } {
  const place = join(folder, `store-${++count}`);
  const store = new ActionStore({ folder: place, clock: systemClock, ids: systemIds, log: silentLog });
  return { store, place, job: join(folder, `job-${count}`, "acme", "tool", "v1") };
}

function from(archive: Buffer): Download & { count: number } {
  const download = async (take: Parameters<Download>[0]): Promise<void> => {
    download.count += 1;
    await take(
      (async function* () {
        yield archive;
      })(),
    );
  };
  download.count = 0;
  return download;
}

describe("an archive", () => {
  test("is downloaded once, and each job gets all of its files with their modes", async () => {
    const { store, place, job } = newStore();
    const download = from(await archiveOf(good));
    const [first, second] = await Promise.all([
      store.unpack(commit, job, { signal }, download),
      store.unpack(commit, `${job}-too`, { signal }, download),
    ]);
    equal(first, second);
    equal(download.count, 1);
    deepEqual((await readdir(job, { recursive: true })).toSorted(), ["action.yml", "dist", "dist/link", "dist/run.sh"]);
    ok(((await stat(join(job, "dist/run.sh"))).mode & 0o100) !== 0);
    ok(((await stat(join(job, "action.yml"))).mode & 0o111) === 0);
    ok((await lstat(join(job, "dist/link"))).isSymbolicLink());
    equal(await readFile(join(job, "dist/link"), "utf8"), "name: x\n");
    deepEqual((await readdir(place)).toSorted(), [`${commit}.digest`, `${commit}.tar`]);
  });

  test("has the digest that its files have, however it was packed", async () => {
    const other = good
      .toReversed()
      .filter(({ type }) => type !== "directory")
      .map((entry) => ({
        ...entry,
        mtime: new Date(0),
        uid: 7,
      }));
    const digests = await Promise.all(
      [good, other, [...good, { name: "more" }]].map(async (entries) => {
        const archive = await archiveOf(entries);
        return (
          await readActionArchive(
            (async function* () {
              yield archive;
            })(),
            drain,
            { signal },
          )
        ).digest;
      }),
    );
    equal(digests[0], digests[1]);
    ok(digests[0] !== digests[2]);
  });

  test("with another digest than the lock says is refused, and the job gets nothing", async () => {
    const { store, job } = newStore();
    const wanted = { digest: `sha256:${"0".repeat(64)}`, at: "x.lock:3:3" };
    const unpacked = store.unpack(commit, job, { wanted, signal }, from(await archiveOf(good)));
    await rejects(unpacked, /x\.lock:3:3 says that the files of 1{40} have the digest sha256:0{64}, and it is sha256:/);
    await rejects(stat(job));
    deepEqual(await readdir(join(job, "..")).catch(() => []), []);
  });

  test("that changed on the disk is downloaded again, and what it was is not believed", async () => {
    const { store, place, job } = newStore();
    const download = from(await archiveOf(good));
    await store.unpack(commit, job, { signal }, download);
    await writeFile(join(place, `${commit}.tar`), await archiveOf([{ name: "action.yml", text: "name: evil\n" }]));
    await store.unpack(commit, `${job}-again`, { signal }, download);
    equal(download.count, 2);
    equal(await readFile(join(`${job}-again`, "action.yml"), "utf8"), "name: x\n");
  });

  test("that was left half done, or unused the longest, goes when the runner starts", async () => {
    const { store, place, job } = newStore();
    const archive = await archiveOf(good);
    for (const [index, one] of ["a", "b"].entries()) {
      await store.unpack(one.repeat(40), `${job}-${one}`, { signal }, from(archive));
      await utimes(join(place, `${one.repeat(40)}.tar`), index, index);
    }
    await writeFile(join(place, `${commit}.tar.xyz`), "half");
    await mkdir(join(place, "left"), { recursive: true });
    await store.trim(archive.length);
    deepEqual((await readdir(place)).toSorted(), [`${"b".repeat(40)}.digest`, `${"b".repeat(40)}.tar`]);
  });
});

describe("a hostile archive is refused, and nothing is written outside its folder:", () => {
  const hostile: readonly (readonly [string, readonly Entry[], RegExp])[] = [
    ["a path above", [{ name: "../escape" }], /"\.\.\/escape" is no path inside it/],
    ["an absolute path", [{ name: "/escape" }], /"\/escape" is no path inside it/],
    ["a path that turns", [{ name: "a/../../escape" }], /is no path inside it/],
    ["a path with empty names", [{ name: "a//b" }], /is no path inside it/],
    ["a link above", [{ name: "a", type: "symlink", linkname: "../x" }], /"a" leads to "\.\.\/x", outside/],
    ["an absolute link", [{ name: "a", type: "symlink", linkname: "/etc/passwd" }], /leads to "\/etc\/passwd"/],
    [
      "a link through a link",
      [
        { name: "a", type: "symlink", linkname: "." },
        { name: "b", type: "symlink", linkname: "a/.." },
      ],
      /"b" leads to "a\/\.\.", outside/,
    ],
    [
      "a file through a link",
      [{ name: "d/x" }, { name: "a", type: "symlink", linkname: "d" }, { name: "a/escape" }],
      /"a\/escape" lies below "a", which is no folder/,
    ],
    ["a file in place of a link", [{ name: "a", type: "symlink", linkname: "b" }, { name: "a" }], /"a" is in it twice/],
    ["a hard link", [{ name: "a", type: "link", linkname: "/etc/passwd" }], /"a" is a link/],
    ["a device", [{ name: "a", type: "character-device" }], /"a" is a character-device/],
    ["a path of 3,000 characters", [{ name: "x/".repeat(1500) + "y" }], /is no path inside it/],
  ];
  for (const [name, entries, want] of hostile) {
    test(name, async () => {
      const { store, place, job } = newStore();
      await rejects(store.unpack(commit, job, { signal }, from(await archiveOf(entries))), want);
      deepEqual(await readdir(place), []);
      await rejects(stat(job));
      ok(!(await readdir(folder)).includes("escape"));
    });
  }

  test("more than fits", async () => {
    const archive = await archiveOf([{ name: "a", text: "x".repeat(100) }, { name: "b" }]);
    const read = (limits: { bytes: number; files: number }): Promise<unknown> =>
      readActionArchive(
        (async function* () {
          yield archive;
        })(),
        drain,
        { signal, limits },
      );
    await rejects(read({ bytes: 99, files: 9 }), /it is over 99 bytes/);
    await rejects(read({ bytes: 999, files: 1 }), /it has over 1 files/);
  });

  test("half of one, and none", async () => {
    const archive = await archiveOf([{ name: "a", text: "x".repeat(2000) }]);
    for (const part of [archive.subarray(0, 1000), Buffer.from("not a tar archive ".repeat(100))]) {
      const { store, place, job } = newStore();
      await rejects(store.unpack(commit, job, { signal }, from(part)), (error: Error) => {
        match(error.message, /it is not a whole tar archive/);
        return true;
      });
      deepEqual(await readdir(place), []);
    }
  });
});
