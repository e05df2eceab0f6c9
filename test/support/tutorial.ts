/**
 * A tutorial as a test reads it: its shell blocks in order, each with the lines that the text block after it promises.
 * What differs from run to run (times, commit ids, ports, the ends of pod names) is made equal on both sides; `…`
 * stands for anything.
 */

export interface TutorialBlock {
  /** Line of the file, for messages. */
  readonly line: number;
  readonly commands: string;
  /** Lines that its output must have, in any order. */
  readonly promised: readonly string[];
  /** Terminal it is typed into; "" for the main one. Commands of the others go on while the tutorial does. */
  readonly terminal: string;
  /** Typed first into every terminal, instead of where it stands. */
  readonly everyTerminal: boolean;
  /** A tool without which the block is left out. */
  readonly needs: string | undefined;
}

interface Fence {
  readonly line: number;
  readonly info: string;
  readonly text: string;
}

export function readTutorial(markdown: string): TutorialBlock[] {
  const blocks: TutorialBlock[] = [];
  for (const { line, info, text } of fencesOf(markdown)) {
    const [language, ...attributes] = info.split(" ");
    if (language === "text") {
      const before = blocks.pop();
      if (before === undefined) throw new Error(`Line ${line}: output without a command before it`);
      blocks.push({ ...before, promised: text.split("\n").filter((each) => each.trim() !== "") });
    } else if (language === "sh") {
      const value = (name: string): string | undefined =>
        attributes.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
      const everyTerminal = attributes.includes("every-terminal");
      const terminal = value("terminal") ?? "";
      blocks.push({ line, commands: text, promised: [], terminal, everyTerminal, needs: value("needs") });
    }
  }
  return blocks;
}

function fencesOf(markdown: string): Fence[] {
  const found: Fence[] = [];
  let open: { line: number; info: string; lines: string[] } | undefined;
  markdown.split("\n").forEach((text, index) => {
    if (!text.startsWith("```")) open?.lines.push(text);
    else if (open === undefined) open = { line: index + 1, info: text.slice(3).trim(), lines: [] };
    else {
      found.push({ line: open.line, info: open.info, text: open.lines.join("\n") });
      open = undefined;
    }
  });
  return found;
}

/** The promised lines that the output does not have. */
export function missingLines(promised: readonly string[], output: string): string[] {
  const lines = output.split("\n").map(comparable);
  return promised.filter((line) => {
    const pattern = new RegExp(
      comparable(line)
        .split("…")
        .map((part) => RegExp.escape(part))
        .join(".*"),
    );
    return !lines.some((candidate) => pattern.test(candidate));
  });
}

function comparable(line: string): string {
  // Names first: a commit can be `500019d`, which is no age.
  return line
    .replaceAll(/\bhello-[0-9a-z]{8,10}\b(?:-[0-9a-z]{5}\b)?/g, "hello-<pod>")
    .replaceAll(/\b[0-9a-f]{7,40}\b/g, "<commit>")
    .replaceAll(/\b\d\d:\d\d:\d\d\.\d{3}\b/g, "<time>")
    .replaceAll(/\+?\b(?:\d+(?:\.\d+)? ?(?:ms|[smhd]))+\b/g, "<while>")
    .replaceAll(/\b(127\.0\.0\.1|localhost):\d+/g, "$1:<port>")
    .replaceAll(/\s+/g, " ")
    .trim();
}
