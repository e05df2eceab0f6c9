import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LineSplitter } from "../exec/line-splitter.ts";
import { FormFinder } from "./form-finder.ts";
import { Masker } from "./masker.ts";

/** A run that failed runs again. */
const fixed = { seed: 20_261_121 };

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
    fixed,
  );
});

test("how the output is split does not change what is logged", () => {
  fc.assert(
    fc.property(fc.array(secretText, { maxLength: 3 }), fc.array(around), cuts, (secrets, parts, where) => {
      const masker = new Masker(secrets);
      const bytes = Buffer.from(parts.join(secrets[0] ?? "\n"));
      equal(logged(masker, bytes, where).join("\n"), logged(masker, bytes, []).join("\n"));
    }),
    fixed,
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
    fixed,
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
    fixed,
  );
});

/** What programs make of a value when they print it; each the bytes of a log, none of it our own code. */
const encoders: Readonly<Record<string, (value: string) => string>> = {
  plain: (value) => value,
  base64: (value) => decidedDigits(value, 0, "base64"),
  "base64 one byte further": (value) => decidedDigits(value, 1, "base64"),
  "base64 two bytes further": (value) => decidedDigits(value, 2, "base64"),
  base64url: (value) => decidedDigits(value, 0, "base64url"),
  "base64url one byte further": (value) => decidedDigits(value, 1, "base64url"),
  "base64url two bytes further": (value) => decidedDigits(value, 2, "base64url"),
  hex: (value) => Buffer.from(value).toString("hex"),
  "upper-case hex": (value) => Buffer.from(value).toString("hex").toUpperCase(),
  JSON: (value) => JSON.stringify(value).slice(1, -1),
  URL: (value) => encodeURIComponent(value),
  "form data": (value) => encodeURIComponent(value).replaceAll("%20", "+"),
  XML: (value) => {
    const entities: Readonly<Record<string, string>> = {
      "&": "&amp;",
      "<": "&lt;",
      ">": "&gt;",
      '"': "&quot;",
      "'": "&apos;",
    };
    return value.replace(/[&<>"']/g, (unit) => entities[unit] ?? unit);
  },
  "single quotes of a shell": (value) => value.split("'").join(`'\\''`),
  "double quotes": (value) => value.split('"').join('\\"'),
  "quotes of expressions": (value) => value.split("'").join("''"),
};

/** The digits of base64 that the value alone decides, where it begins `before` bytes into a group of three. */
function decidedDigits(value: string, before: number, encoding: "base64" | "base64url"): string {
  const bytes = Buffer.from(value);
  const digits = Buffer.concat([Buffer.from("xyz".slice(0, before)), bytes, Buffer.from("xyz")]).toString(encoding);
  return digits.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}

const secretLine = secretText.filter((text) => text.length >= 8);
/** Of one line, or of several as keys and certificates are. */
const anySecret = fc.array(secretLine, { minLength: 1, maxLength: 3 }).map((lines) => lines.join("\n"));

test("no form of any secret shows, of one line or of many, at whatever bytes the output is split", () => {
  const piece = fc.record({ which: fc.nat(2), encoder: fc.constantFrom(...Object.keys(encoders)), before: around });
  fc.assert(
    fc.property(
      fc.array(anySecret, { minLength: 1, maxLength: 3 }),
      fc.array(piece, { minLength: 1, maxLength: 8 }),
      cuts,
      (secrets, pieces, where) => {
        const masker = new Masker(secrets);
        const parts = pieces.flatMap(({ which, encoder, before }) => {
          const secret = secrets[which % secrets.length] ?? "";
          // A secret of several lines is printed whole, and line by line.
          return [secret, ...secret.split("\n")].map((value) => before + (encoders[encoder]?.(value) ?? ""));
        });
        const shown = logged(masker, Buffer.from(parts.join("\n")), where).join("\n");
        for (const line of secrets.flatMap((secret) => secret.split("\n"))) {
          for (const [name, encode] of Object.entries(encoders))
            ok(!shown.includes(encode(line)), `${name} of ${line}`);
        }
      },
    ),
    { ...fixed, numRuns: 400 },
  );
});

test("the lines that base64 programs make of a long secret are masked, each of them", () => {
  const secret = "a key of many characters, as certificates and the tokens of registries are, ".repeat(3).trim();
  const masker = new Masker([secret]);
  for (const [value, width] of [[secret, 76] as const, [`${secret}\n`, 64] as const]) {
    const lines =
      Buffer.from(value)
        .toString("base64")
        .match(new RegExp(`.{1,${width}}`, "g")) ?? [];
    for (const line of lines) ok(masker.mask(line).startsWith("***"), line);
  }
});

test("the finder of forms finds what a plain search finds", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 5 });
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "d"), maxLength: 40 });
  fc.assert(
    fc.property(fc.uniqueArray(letters, { minLength: 1, maxLength: 6 }), text, (words, line) => {
      const places = words.flatMap((word) =>
        Array.from(line, (_unit, at) => at).flatMap((at) =>
          line.startsWith(word, at) ? [`${at}-${at + word.length}`] : [],
        ),
      );
      const found = new FormFinder(words).find(line).map(([start, end]) => `${start}-${end}`);
      equal(found.toSorted().join(), places.toSorted().join());
    }),
    fixed,
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
