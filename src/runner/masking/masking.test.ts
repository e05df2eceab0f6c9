import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LineSplitter } from "../exec/line-splitter.ts";
import { Masker } from "./masker.ts";

/** The text a log would show: bytes cut into chunks, then lines, then masked. */
function logged(masker: Masker, bytes: Buffer, cuts: readonly number[], limit = 10_000): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(
    () => limit + masker.longest,
    (line) => lines.push(masker.maskCut(line, limit)),
  );
  let from = 0;
  for (const cut of [...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b)) {
    splitter.push(bytes.subarray(from, cut));
    from = cut;
  }
  splitter.push(bytes.subarray(from));
  splitter.end();
  return lines;
}

const secretText = fc
  .string({ minLength: 4, maxLength: 30, unit: "grapheme" })
  .filter((text) => !/[\r\n*]/.test(text) && text.trim() === text);
const around = fc.string({ maxLength: 20, unit: "grapheme" });
const cuts = fc.array(fc.nat(2000), { maxLength: 12 });

test("a secret never shows, at whatever bytes the output is split", () => {
  fc.assert(
    fc.property(secretText, fc.array(fc.tuple(around, around)), cuts, (secret, pairs, where) => {
      const text = pairs.map(([before, after]) => `${before}${secret}${after}`).join("\n");
      const lines = logged(new Masker([secret]), Buffer.from(text), where);
      ok(!lines.join("\n").includes(secret));
    }),
  );
});

test("how the output is split does not change what is logged", () => {
  fc.assert(
    fc.property(fc.array(secretText, { maxLength: 3 }), fc.array(around), cuts, (secrets, parts, where) => {
      const masker = new Masker(secrets);
      const bytes = Buffer.from(parts.join(secrets[0] ?? "\n"));
      equal(logged(masker, bytes, where).join("\n"), logged(masker, bytes, []).join("\n"));
    }),
  );
});

test("base64 of a text that holds a secret shows none of the digits the secret alone decides", () => {
  const ascii = fc.string({ minLength: 9, maxLength: 30 }).filter((text) => text.trim() === text && text.trim() !== "");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9 }), ascii, fc.uint8Array({ maxLength: 9 }), (before, secret, after) => {
      const whole = Buffer.concat([before, Buffer.from(secret), after]);
      const digits = whole.toString("base64");
      // Digits all of whose six bits are bits of the secret.
      const first = Math.ceil((before.length * 8) / 6);
      const last = Math.floor(((before.length + secret.length) * 8) / 6);
      const decided = digits.slice(first, last);
      ok(!new Masker([secret]).mask(digits).includes(decided));
    }),
  );
});

test("a line that is cut leaves no piece of a secret that lies across the cut", () => {
  fc.assert(
    fc.property(secretText, fc.nat(40), (secret, offset) => {
      const line = "-".repeat(offset) + secret + "-".repeat(60);
      const [shown = ""] = logged(new Masker([secret]), Buffer.from(line), [], 30);
      const piece = secret.slice(0, 4);
      // A secret that begins before the cut is masked whole; one that begins after it is cut off whole.
      ok(/^-+$/.test(secret) || piece.startsWith("-") || !shown.includes(piece), shown);
    }),
  );
});

const forms: readonly [string, string][] = [
  ['a"b c/d', JSON.stringify('a"b c/d')],
  ["it's secret", "'it''s secret'"],
  ["p&ss w?rd", encodeURIComponent("p&ss w?rd")],
  ["<xml&more>", "&lt;xml&amp;more&gt;"],
  ['"quoted-value"', "quoted-value"],
  ["first-line\nsecond-line", "only second-line here"],
];
for (const [secret, shown] of forms) {
  test(`the secret ${JSON.stringify(secret)} is masked in the form ${shown}`, () => {
    ok(new Masker([secret]).mask(`x ${shown} y`).includes("***"));
  });
}

test("overlapping secrets leave nothing between them", () => {
  equal(new Masker(["abcdef", "defghi"]).mask("xabcdefghix"), "x***x");
});

test("an empty mask is refused, and short lines of a long secret mask nothing", () => {
  equal(new Masker().add("  "), false);
  equal(new Masker(['{\n"key": "long-enough"\n}']).mask("{ } long-enough-not-whole"), "{ } long-enough-not-whole");
});
