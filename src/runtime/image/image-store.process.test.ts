import assert from "node:assert/strict";
import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock, systemIds } from "#lib";
import { ImageSourceFake, type TarEntry } from "../testing.ts";
import { defaultImageLimits, ImageStore, type ImageLimits } from "./image-store.ts";

const signal = AbortSignal.timeout(60_000);

interface Subject extends AsyncDisposable {
  readonly folder: string;
  readonly source: ImageSourceFake;
  readonly store: ImageStore;
  /** Pulls an image of these layers and tells its tree. */
  unpack(...layers: TarEntry[][]): Promise<string>;
}

async function open(limits: Partial<ImageLimits> = {}): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), "images-"));
  const source = new ImageSourceFake(join(folder, "blobs"));
  const root = join(folder, "rootfs");
  const store = new ImageStore({
    root,
    source,
    limits: { ...defaultImageLimits, ...limits },
    clock: systemClock,
    ids: systemIds,
  });
  await store.tidy(new Set(), 0);
  return {
    folder,
    source,
    store,
    async unpack(...layers) {
      await source.add("app:1", {}, layers);
      const { digest } = await store.pull("app:1", "Always", signal);
      return (await store.open(digest)).tree;
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

test("layers are applied in order, with whiteouts", async () => {
  await using subject = await open();
  const tree = await subject.unpack(
    [{ name: "a/one", content: "1" }, { name: "a/two", content: "2" }, { name: "b/x" }, { name: "b/y" }],
    [{ name: "a/.wh.one" }, { name: "b/.wh..wh..opq" }, { name: "b/z", content: "z" }],
  );
  assert.deepEqual(await readdir(join(tree, "a")), ["two"]);
  assert.deepEqual(await readdir(join(tree, "b")), ["z"]);
});

test("files are executable as shipped and writable by nobody", async () => {
  await using subject = await open();
  const tree = await subject.unpack([
    { name: "run", mode: 0o4755 },
    { name: "data", mode: 0o666 },
  ]);
  assert.equal((await stat(join(tree, "run"))).mode & 0o7777, 0o555);
  assert.equal((await stat(join(tree, "data"))).mode & 0o7777, 0o444);
});

const attacks: { name: string; entries: TarEntry[]; escaped: string }[] = [
  { name: "a path with ..", entries: [{ name: "../../evil", content: "x" }], escaped: "evil" },
  {
    name: "a file through an absolute symbolic link",
    entries: [
      { name: "out", type: "symlink", linkname: "OUTSIDE" },
      { name: "out/evil", content: "x" },
    ],
    escaped: "evil",
  },
  {
    name: "a file through a link that climbs",
    entries: [
      { name: "out", type: "symlink", linkname: "../../.." },
      { name: "out/evil", content: "x" },
    ],
    escaped: "evil",
  },
];
for (const { name, entries, escaped } of attacks) {
  test(`${name} stays inside the image`, async () => {
    await using subject = await open();
    const concrete = entries.map((entry) => ({
      ...entry,
      ...(entry.linkname === "OUTSIDE" ? { linkname: subject.folder } : {}),
    }));
    await subject.unpack(concrete);
    await assert.rejects(lstat(join(subject.folder, escaped)));
    await assert.rejects(lstat(join(subject.folder, "..", escaped)));
  });
}

test("a whiteout of .. removes nothing outside", async () => {
  await using subject = await open();
  await assert.rejects(subject.unpack([{ name: "a/.wh...", content: "" }]), /hides no name/);
});

test("a hard link to what is not in the image is refused", async () => {
  await using subject = await open();
  await writeFile(join(subject.folder, "secret"), "hush");
  const entry = { name: "mine", type: "link", linkname: "../../../secret" } as const;
  await assert.rejects(subject.unpack([entry]), /hard link target/);
});

test("an absolute link means the image's file, also outside of a container", async () => {
  await using subject = await open();
  const tree = await subject.unpack([
    { name: "opt/v2/app", content: "hello" },
    { name: "bin/app", type: "symlink", linkname: "/opt/v2/app" },
  ]);
  assert.equal(await readlink(join(tree, "bin/app")), "../opt/v2/app");
  assert.equal(await readFile(join(tree, "bin/app"), "utf8"), "hello");
});

test("an image over the limits is refused and leaves nothing", async () => {
  await using subject = await open({ maxBytes: 10_000 });
  await assert.rejects(subject.unpack([{ name: "big", content: "x".repeat(20_000) }]), /over the size limit/);
  assert.deepEqual(
    (await readdir(join(subject.folder, "rootfs"))).filter((name) => name !== "references"),
    [],
  );
});

test("a layer that is not what the config says is refused", async () => {
  await using subject = await open();
  const image = await subject.source.add("app:1", {}, [[{ name: "a" }]]);
  (image.config.rootfs as { diff_ids: string[] }).diff_ids[0] = `sha256:${"0".repeat(64)}`;
  await assert.rejects(subject.store.pull("app:1", "Always", signal), /its content is not/);
});

test("a present image is not asked for again unless the policy says so", async () => {
  await using subject = await open();
  await subject.unpack([{ name: "a" }]);
  const before = subject.source.resolved;
  assert.equal((await subject.store.pull("app:1", "IfNotPresent", signal)).fetched, false);
  assert.equal((await subject.store.pull("app:1", "Never", signal)).fetched, false);
  assert.equal(subject.source.resolved, before);
});

test("drafts of a crash and images long unused are removed, used ones are not", async () => {
  await using subject = await open();
  const tree = await subject.unpack([{ name: "a" }]);
  const digest = `sha256:${tree.split("/").at(-2)}`;
  await writeFile(join(subject.folder, "rootfs", "x.draft"), "");

  await subject.store.tidy(new Set([digest]), 0);
  assert.equal((await readdir(join(subject.folder, "rootfs"))).length, 2);
  await systemClock.sleep(5, signal);
  await subject.store.tidy(new Set(), 0);
  await assert.rejects(subject.store.open(digest), /not unpacked here/);
});
