import assert from "node:assert/strict";
import { test } from "node:test";
import type { DispatchInput } from "../parse/model.ts";
import type { ContextObject } from "../protocol.ts";
import { readDispatchInputs } from "./dispatch-inputs.ts";

const definitions: readonly DispatchInput[] = [
  { name: "target", type: "choice", required: true, options: ["staging", "production"], default: "staging" },
  { name: "dry", type: "boolean", required: false, options: [] },
  { name: "count", type: "number", required: false, options: [], default: 2 },
  { name: "note", type: "string", required: false, options: [] },
];

const accepted: readonly { name: string; given: ContextObject; want: ContextObject }[] = [
  { name: "defaults fill what is not given", given: {}, want: { target: "staging", dry: false, count: 2, note: "" } },
  {
    name: "texts become what their types say, and names do not distinguish case",
    given: { TARGET: "production", dry: "true", count: "7", note: 5 },
    want: { target: "production", dry: true, count: 7, note: "5" },
  },
];
for (const { name, given, want } of accepted) {
  test(name, () => assert.deepEqual(readDispatchInputs(definitions, given), { value: want, problems: [] }));
}

const refused: readonly { name: string; given: ContextObject; want: RegExp }[] = [
  { name: "an unknown name", given: { other: 1 }, want: /no input of this name. It has target, dry, count, note/ },
  { name: "a choice that is none", given: { target: "moon" }, want: /"moon". It must be one of staging, production/ },
  { name: "a boolean that is none", given: { dry: "yes" }, want: /must be true or false/ },
  { name: "a number that is none", given: { count: "many" }, want: /must be a number/ },
  { name: "an object", given: { note: {} }, want: /must be a text, a number or a boolean/ },
  { name: "too much text", given: { note: "x".repeat(70_000) }, want: /over 65535 characters/ },
];
for (const { name, given, want } of refused) {
  test(`${name} is refused`, () => {
    const { value, problems } = readDispatchInputs(definitions, given);
    assert.equal(value, undefined);
    assert.match(problems.map((problem) => problem.message).join("\n"), want);
  });
}

test("an input that is required and has no default must be given", () => {
  const required: DispatchInput = { name: "tag", type: "string", required: true, options: [] };
  assert.match(readDispatchInputs([required], { tag: "" }).problems[0]?.message ?? "", /required/);
});
