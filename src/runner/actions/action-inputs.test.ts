import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { mergeInputs } from "./action-inputs.ts";

const known = [{ name: "fetch-depth" }, { name: "old", deprecation: "use new" }, { name: "clean" }];
const merged = (given: Readonly<Record<string, string>>, silent?: readonly string[]): unknown => {
  const { inputs, given: names, warnings } = mergeInputs(known, given, ({ name }) => `default of ${name}`, silent);
  return { inputs, names: [...names], warnings };
};
const defaults = {
  "fetch-depth": "default of fetch-depth",
  old: "default of old",
  clean: "default of clean",
};

test("what is not given takes its default", () => {
  deepEqual(merged({}), { inputs: defaults, names: [], warnings: [] });
});

test("an empty value is given too", () => {
  deepEqual(merged({ clean: "" }), { inputs: { ...defaults, clean: "" }, names: ["clean"], warnings: [] });
});

test("names differ in case without meaning it", () => {
  deepEqual(merged({ "Fetch-Depth": "0" }), {
    inputs: { ...defaults, "fetch-depth": "0" },
    names: ["fetch-depth"],
    warnings: [],
  });
});

test("what the action does not know is warned about once, and handed on", () => {
  deepEqual(merged({ one: "1", TWO: "2" }), {
    inputs: { ...defaults, one: "1", TWO: "2" },
    names: [],
    warnings: ["Unexpected input(s) 'one', 'TWO', valid inputs are ['fetch-depth', 'old', 'clean']"],
  });
});

test("what is deprecated is warned about where it is given, with its own words", () => {
  deepEqual(merged({ Old: "" }), {
    inputs: { ...defaults, old: "" },
    names: ["old"],
    warnings: ["Input 'Old' has been deprecated with message: use new"],
  });
});

test("what actions of a kind take without naming it is no surprise", () => {
  deepEqual(merged({ entrypoint: "/bin/x", y: "1" }, ["entryPoint", "args"]), {
    inputs: { ...defaults, entrypoint: "/bin/x", y: "1" },
    names: [],
    warnings: ["Unexpected input(s) 'y', valid inputs are ['entryPoint', 'args', 'fetch-depth', 'old', 'clean']"],
  });
});
