import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyLine, pipedValue, typeKeys } from "./typed-line.ts";

const lines = [
  { name: "goes on until Enter", keys: ["hun", "ter2"], want: { state: "typing", text: "hunter2" } },
  { name: "ends with Enter, whatever follows", keys: ["hun", "ter2\rmore"], want: { state: "done", text: "hunter2" } },
  { name: "loses a whole character to backspace", keys: ["a😀\u007f\b", "b\n"], want: { state: "done", text: "b" } },
  { name: "begins anew after Ctrl-U", keys: ["wrong\u0015right\r"], want: { state: "done", text: "right" } },
  { name: "is forgotten at Ctrl-C", keys: ["secret\u0003"], want: { state: "interrupted", text: "" } },
  { name: "ends with Ctrl-D", keys: ["secret\u0004"], want: { state: "done", text: "secret" } },
  { name: "is given up by Ctrl-D when it is empty", keys: ["\u0004"], want: { state: "interrupted", text: "" } },
];
for (const { name, keys, want } of lines) {
  test(`a hidden line ${name}`, () => {
    let line = emptyLine;
    for (const input of keys) line = typeKeys(line, input);
    assert.deepEqual(line, want);
  });
}

const piped = [
  { name: "loses the line end that echo adds", text: "hunter2\n", want: "hunter2" },
  { name: "loses that of Windows, too", text: "hunter2\r\n", want: "hunter2" },
  { name: "keeps its blanks", text: " hunter2 ", want: " hunter2 " },
  { name: "of several lines is kept to the byte", text: "BEGIN\nkey\nEND\n", want: "BEGIN\nkey\nEND\n" },
  { name: "that ends in an empty line has several", text: "a\n\n", want: "a\n\n" },
];
for (const { name, text, want } of piped) {
  test(`a piped value ${name}`, () => assert.equal(pipedValue(text), want));
}
