/** What can be checked of the documentation without running anything: links, the page of commands, the table of rooms. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { cliPage } from "../scripts/cli-page.ts";
import { root } from "../scripts/steps.ts";
import { rooms } from "./rooms.ts";

const pages = globSync(["*.md", "docs/**/*.md"], { cwd: root }).sort();

/** Without blocks and spans of code, in which brackets are no links. */
function proseOf(path: string): string {
  return readFileSync(path, "utf8")
    .replaceAll(/^```[\s\S]*?^```/gm, "")
    .replaceAll(/`[^`\n]*`/g, "code");
}

/** As the anchor of a heading is made on the usual forges. */
function anchorsOf(path: string): Set<string> {
  const headings = readFileSync(path, "utf8")
    .replaceAll(/^```[\s\S]*?^```/gm, "")
    .matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    [...headings].map(([, text = ""]) =>
      text
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, "")
        .trim()
        .replaceAll(/\s/g, "-"),
    ),
  );
}

function brokenLinks(page: string): string[] {
  const links = proseOf(join(root, page)).matchAll(/\]\(([^)\s]+)\)/g);
  return [...links].flatMap(([, target = ""]) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? join(root, page) : join(root, dirname(page), path);
    if (!existsSync(file)) return [`${page}: ${target}`];
    if (anchor === undefined || anchorsOf(file).has(anchor)) return [];
    return [`${page}: ${target} (there is no such heading)`];
  });
}

test("every link within the documentation leads somewhere", () => {
  assert.ok(pages.length > 20);
  assert.deepEqual(pages.flatMap(brokenLinks), []);
});

test("every page of the documentation is reached from its index", () => {
  const index = readFileSync(join(root, "docs", "README.md"), "utf8");
  const own = pages.filter((page) => /^docs\/[^/]+\.md$/.test(page) && page !== "docs/README.md");
  assert.deepEqual(
    own.filter((page) => !index.includes(`](${relative("docs", page)})`)),
    [],
  );
});

/** Tables are padded by the formatter. */
function unpadded(text: string): string {
  return text.replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---").trimEnd();
}

test("the page of commands says what the commands' help says: node scripts/cli-page.ts writes it", () => {
  assert.equal(unpadded(readFileSync(join(root, "docs", "cli.md"), "utf8")), unpadded(cliPage()));
});

test("the table of rooms in ARCHITECTURE.md is that of tools/rooms.ts", () => {
  const text = unpadded(readFileSync(join(root, "ARCHITECTURE.md"), "utf8"));
  const table = /<!-- rooms -->\n\n([\s\S]*?)\n\n<!-- \/rooms -->/.exec(text)?.[1];
  const rows = Object.entries(rooms).map(([room, sees]) => {
    const list = sees.map((name) => `\`${name}\``).join(", ");
    return `| \`${room}\` | ${list === "" ? "nothing" : list} |`;
  });
  assert.equal(table, ["| room | may import |", "| --- | --- |", ...rows].join("\n"));
});
