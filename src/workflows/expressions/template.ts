/** Text with `${{ }}` taken apart. */
import { ExpressionFailure } from "../errors.ts";

export type Segment =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "expression"; readonly expression: string };

/** Whether the text holds an expression at all. */
export function hasExpression(text: string): boolean {
  return text.includes("${{");
}

/** Alternating text and expressions. The end of an expression is the first `}}` outside single quotes. */
export function splitTemplate(text: string): readonly Segment[] {
  const segments: Segment[] = [];
  let from = 0;
  for (;;) {
    const open = text.indexOf("${{", from);
    if (open < 0) break;
    const close = closingBraces(text, open + 3);
    if (close < 0) {
      throw new ExpressionFailure(`Expression "${text.slice(open, open + 60)}" is not closed. Add the closing }}`);
    }
    if (open > from) segments.push({ kind: "text", text: text.slice(from, open) });
    segments.push({ kind: "expression", expression: text.slice(open + 3, close).trim() });
    from = close + 2;
  }
  if (from < text.length) segments.push({ kind: "text", text: text.slice(from) });
  return segments;
}

function closingBraces(text: string, from: number): number {
  let quoted = false;
  for (let i = from; i < text.length; i++) {
    if (text[i] === "'") quoted = !quoted;
    else if (!quoted && text[i] === "}" && text[i + 1] === "}") return i;
  }
  return -1;
}
