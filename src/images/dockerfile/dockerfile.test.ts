import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { formatProblem } from "#lib";
import { expandWord } from "./expand.ts";
import { parseDockerfile } from "./parse.ts";

test("a multi-stage file gives its stages, names, flags and forms", () => {
  const { value, problems } = parseDockerfile(
    [
      "# syntax=docker/dockerfile:1",
      "ARG VERSION=20",
      "# a comment",
      "FROM node:${VERSION} AS Build",
      "COPY --chown=1:2 --chmod=755 a.js b.js /app/",
      "FROM --platform=linux/arm64 scratch",
      'COPY --from=build ["a file", "/b file"]',
      'CMD ["node", "a.js"]',
      "ENTRYPOINT exec node",
    ].join("\n"),
    "Dockerfile",
  );
  deepEqual(problems, []);
  deepEqual(
    value?.stages.map(({ name, base, platform }) => ({ name, base, platform })),
    [
      { name: "build", base: "node:${VERSION}", platform: undefined },
      { name: undefined, base: "scratch", platform: "linux/arm64" },
    ],
  );
  const copy = value?.stages[0]?.instructions[0];
  deepEqual(copy?.kind === "copy" && [copy.sources, copy.destination, copy.chown, copy.chmod], [
    ["a.js", "b.js"],
    "/app/",
    "1:2",
    "755",
  ]);
  const kinds = value?.stages[1]?.instructions.map((one) =>
    "command" in one ? one.command : "sources" in one && one.sources,
  );
  deepEqual(kinds, [["a file"], { form: "exec", words: ["node", "a.js"] }, { form: "shell", text: "exec node" }]);
});

test("continuations skip comments and blank lines, and the escape directive changes the character", () => {
  const unix = parseDockerfile('FROM scratch\nENV A=1 \\\n  # why\n\n  B=2\nLABEL x="y"\n', "f").value;
  deepEqual(unix?.stages[0]?.instructions[0], {
    kind: "env",
    at: { file: "f", line: 2, column: 1 },
    text: "ENV A=1 B=2",
    pairs: [
      { key: "A", value: "1" },
      { key: "B", value: "2" },
    ],
  });
  equal(unix?.stages[0]?.instructions[1]?.at.line, 6);
  const windows = parseDockerfile("# escape=`\nFROM scratch\nENV A=c:\\ `\n B=2", "f").value;
  deepEqual(windows?.escape, "`");
  equal(windows?.stages[0]?.instructions.length, 1);
});

test("heredocs are taken off the following lines, tabs stripped after a dash, quotes switch expansion off", () => {
  const text = 'FROM scratch\nCOPY <<A <<-"B" /etc/\none $X\nA\n\ttwo\n\tB\nUSER 5';
  const instructions = parseDockerfile(text, "f").value?.stages[0]?.instructions;
  deepEqual(instructions?.[0]?.kind === "copy" && instructions[0].heredocs, [
    { name: "A", content: "one $X\n", expand: true },
    { name: "B", content: "two\n", expand: false },
  ]);
  equal(instructions?.[1]?.kind, "user");
});

const mistakes: readonly { name: string; text: string; want: RegExp }[] = [
  {
    name: "a misspelt instruction",
    text: "FROM scratch\n  COPPY a b",
    want: /^f:2:3: Unknown instruction "COPPY": did you mean COPY\?$/,
  },
  { name: "no FROM", text: "# nothing\n", want: /^f:1:1: The Dockerfile has no FROM/ },
  { name: "an instruction before FROM", text: "COPY a b", want: /^f:1:1: COPY: COPY stands before the first FROM/ },
  {
    name: "COPY without a destination",
    text: "FROM scratch\nCOPY a",
    want: /^f:2:1: COPY: COPY needs at least one source/,
  },
  {
    name: "an unknown flag",
    text: "FROM scratch\nCOPY --form=x a b",
    want: /Unknown flag "--form": COPY takes --from/,
  },
  {
    name: "an open heredoc",
    text: "FROM scratch\nCOPY <<EOF /a\nx",
    want: /^f:2:1: COPY: The heredoc "EOF" has no end/,
  },
  { name: "ENV without a value", text: "FROM scratch\nENV A", want: /no value for "A"/ },
  { name: "a bad FROM", text: "FROM a AS", want: /^f:1:1: FROM: FROM must read FROM <image>/ },
  { name: "SHELL without JSON", text: "FROM scratch\nSHELL bash", want: /SHELL must be a JSON list/ },
];
for (const { name, text, want } of mistakes) {
  test(`${name} is reported with its place and what to do`, () => {
    match(parseDockerfile(text, "f").problems.map(formatProblem).join("\n"), want);
  });
}

const words: readonly [string, string][] = [
  ["$A-x", "1-x"],
  ["${A}b", "1b"],
  ["${B:-dflt}", "dflt"],
  ["${EMPTY:-d}", "d"],
  ["${EMPTY-d}", ""],
  ["${A:+yes}${B:+no}", "yes"],
  ["${B:-${A}x}", "1x"],
  ["'$A'", "$A"],
  ['"$A \\" \\$A"', '1 " $A'],
  ["\\$A", "$A"],
  ["a$", "a$"],
  ["$B", ""],
];
for (const [given, want] of words) {
  test(`the word ${given} becomes ${want === "" ? "nothing" : want}`, () => {
    const values = new Map([
      ["A", "1"],
      ["EMPTY", ""],
    ]);
    equal(
      expandWord(given, (name) => values.get(name), "\\"),
      want,
    );
  });
}
