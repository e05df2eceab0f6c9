/**
 * Markdown of step summaries as HTML: what GitHub's flavour is used for there. What HTML the text has itself stays, so the
 * result is not safe to show before it is cleaned. Pure, and linear in the length of the text.
 */

/** Quotes and lists within each other; what is deeper stays as it is written. */
const maxDepth = 8;

export function markdownHtml(text: string): string {
  return blocks(text.replaceAll("\r\n", "\n").split("\n"), 0);
}

interface Block {
  readonly html: string;
  /** The first line after it. */
  readonly next: number;
}

type Reader = (lines: readonly string[], at: number, depth: number) => Block | undefined;

const readers: readonly Reader[] = [fence, heading, rule, quote, list, table, rawHtml];

function blocks(lines: readonly string[], depth: number): string {
  if (depth > maxDepth) return `<pre>${escaped(lines.join("\n"))}</pre>`;
  const out: string[] = [];
  for (let at = 0; at < lines.length;) {
    if (isBlank(lines[at])) {
      at += 1;
      continue;
    }
    const block = firstBlock(lines, at, depth) ?? paragraph(lines, at, depth);
    out.push(block.html);
    at = block.next;
  }
  return out.join("\n");
}

function firstBlock(lines: readonly string[], at: number, depth: number): Block | undefined {
  for (const read of readers) {
    const block = read(lines, at, depth);
    if (block !== undefined) return block;
  }
  return undefined;
}

function fence(lines: readonly string[], at: number): Block | undefined {
  const mark = /^ {0,3}(`{3,}|~{3,})/.exec(lines[at] ?? "")?.[1];
  if (mark === undefined) return undefined;
  let end = at + 1;
  while (end < lines.length && !(lines[end] ?? "").trim().startsWith(mark)) end += 1;
  return { html: `<pre><code>${escaped(lines.slice(at + 1, end).join("\n"))}</code></pre>`, next: end + 1 };
}

function heading(lines: readonly string[], at: number): Block | undefined {
  const match = /^ {0,3}(#{1,6})(?:[ \t]+|$)(.*)$/.exec(lines[at] ?? "");
  if (match === null) return undefined;
  const level = match[1]?.length ?? 1;
  const words = (match[2] ?? "").trim().replace(/[ \t]#+$/, "");
  return { html: `<h${level}>${inline(words)}</h${level}>`, next: at + 1 };
}

function rule(lines: readonly string[], at: number): Block | undefined {
  const line = (lines[at] ?? "").replaceAll(/\s/g, "");
  return /^(?:-{3,}|\*{3,}|_{3,})$/.test(line) ? { html: "<hr>", next: at + 1 } : undefined;
}

function quote(lines: readonly string[], at: number, depth: number): Block | undefined {
  let end = at;
  while (/^ {0,3}>/.test(lines[end] ?? "")) end += 1;
  if (end === at) return undefined;
  const inner = lines.slice(at, end).map((line) => line.replace(/^ {0,3}> ?/, ""));
  return { html: `<blockquote>${blocks(inner, depth + 1)}</blockquote>`, next: end };
}

const item = /^( *)([-*+]|\d{1,9}[.)])( +|$)/;

function list(lines: readonly string[], at: number, depth: number): Block | undefined {
  const first = item.exec(lines[at] ?? "");
  if (first === null) return undefined;
  const indent = first[1]?.length ?? 0;
  const ordered = /\d/.test(first[2] ?? "");
  const items: string[] = [];
  let next = at;
  for (;;) {
    const match = item.exec(lines[next] ?? "");
    if (match === null || (match[1]?.length ?? 0) !== indent || /\d/.test(match[2] ?? "") !== ordered) break;
    const width = match[0].length;
    let end = next + 1;
    while (end < lines.length && belongs(lines, end, indent)) end += 1;
    const own = [
      (lines[next] ?? "").slice(width),
      ...lines.slice(next + 1, end).map((line) => unindented(line, width)),
    ];
    items.push(`<li>${listItem(own, depth)}</li>`);
    next = end;
  }
  const tag = ordered ? "ol" : "ul";
  return { html: `<${tag}>${items.join("")}</${tag}>`, next };
}

/** A blank line does when what follows it is indented. */
function belongs(lines: readonly string[], at: number, indent: number): boolean {
  const deeper = (line: string | undefined): boolean => !isBlank(line) && leading(line) > indent;
  return isBlank(lines[at]) ? deeper(lines[at + 1]) : deeper(lines[at]);
}

function leading(line: string | undefined): number {
  return (line ?? "").length - (line ?? "").trimStart().length;
}

function unindented(line: string, width: number): string {
  return line.slice(Math.min(width, leading(line)));
}

function listItem(lines: readonly string[], depth: number): string {
  const task = /^\[([ xX])\] /.exec(lines[0] ?? "");
  const box = task === null ? "" : task[1] === " " ? "☐ " : "☑ ";
  const [first = "", ...rest] = lines;
  const words = task === null ? first : first.slice(4);
  const simple = rest.every((line) => isBlank(line));
  if (simple) return box + inline(words);
  return `${box}${inline(words)}${blocks(rest, depth + 1)}`;
}

function table(lines: readonly string[], at: number): Block | undefined {
  const separator = (lines[at + 1] ?? "").trim();
  if (!(lines[at] ?? "").includes("|") || !separator.includes("-") || !/^[|:\s-]+$/.test(separator)) return undefined;
  const aligns = cells(separator).map((cell) =>
    /^:.*:$/.test(cell) ? "center" : cell.endsWith(":") ? "right" : cell.startsWith(":") ? "left" : "",
  );
  const row = (line: string, tag: "td" | "th"): string => {
    const found = cells(line);
    const filled = aligns.map((align, index) => {
      const style = align === "" ? "" : ` align="${align}"`;
      return `<${tag}${style}>${inline(found[index] ?? "")}</${tag}>`;
    });
    return `<tr>${filled.join("")}</tr>`;
  };
  let next = at + 2;
  const body: string[] = [];
  for (; !isBlank(lines[next]) && (lines[next] ?? "").includes("|"); next += 1) body.push(row(lines[next] ?? "", "td"));
  const head = `<thead>${row(lines[at] ?? "", "th")}</thead>`;
  return { html: `<table>${head}<tbody>${body.join("")}</tbody></table>`, next };
}

function cells(line: string): readonly string[] {
  const inner = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** Up to a blank line, as in GitHub's: after that the text is Markdown again. */
function rawHtml(lines: readonly string[], at: number): Block | undefined {
  if (!/^ {0,3}<(?:\/?[a-zA-Z]|!--)/.test(lines[at] ?? "")) return undefined;
  let end = at;
  while (end < lines.length && !isBlank(lines[end])) end += 1;
  return { html: lines.slice(at, end).join("\n"), next: end };
}

function paragraph(lines: readonly string[], at: number, depth: number): Block {
  let end = at + 1;
  while (end < lines.length && !isBlank(lines[end]) && firstBlock(lines, end, depth) === undefined) end += 1;
  const words = lines.slice(at, end).map((line) => inline(line.trimStart()).replace(/ {2,}$/, "<br>"));
  return { html: `<p>${words.join("\n")}</p>`, next: end };
}

function isBlank(line: string | undefined): boolean {
  return line === undefined || line.trim() === "";
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Code, links, pictures as links, bare addresses, emphasis; tags and entities stay. Each part is bounded. */
const span =
  /(`+)([^`]{1,2000}?)\1(?!`)|!?\[([^[\]]{0,500})\]\(\s*<?([^()\s<>]{1,2000})>?(?:\s+"[^"]{0,200}")?\s*\)|(https?:\/\/[^\s<>()"'`]{1,2000}[^\s<>()"'`.,;:!?])|\\([\\`*_{}[\]()#+.!|~<>-])|(\*\*|__)(?=\S)([^*_]{1,1000}?)\7|(~~)(?=\S)([^~]{1,1000}?)~~|(?<![\w*])([*_])(?=\S)([^*_]{1,1000}?)\11(?![\w*])|:([a-z0-9_+-]{1,30}):/g;

const emoji: Readonly<Record<string, string>> = {
  white_check_mark: "✅",
  heavy_check_mark: "✔️",
  x: "❌",
  warning: "⚠️",
  rocket: "🚀",
  tada: "🎉",
  no_entry: "⛔",
  information_source: "ℹ️",
  red_circle: "🔴",
  green_circle: "🟢",
  yellow_circle: "🟡",
};

function inline(text: string): string {
  return text.replaceAll(span, (whole: string, ...parts: (string | undefined)[]) => {
    const [, code, label, link, bare, literal, strong, bold, , struck, , soft, name] = parts;
    if (code !== undefined) return `<code>${escaped(code.trim())}</code>`;
    if (link !== undefined) return `<a href="${escaped(link)}">${inline(label === "" ? link : (label ?? link))}</a>`;
    if (bare !== undefined) return `<a href="${escaped(bare)}">${escaped(bare)}</a>`;
    if (literal !== undefined) return escaped(literal);
    if (strong !== undefined) return `<strong>${inline(bold ?? "")}</strong>`;
    if (struck !== undefined) return `<del>${inline(struck)}</del>`;
    if (soft !== undefined) return `<em>${inline(soft)}</em>`;
    return emoji[name ?? ""] ?? whole;
  });
}
