/** What starts a workflow, and with which inputs, where a forge takes it otherwise than it is meant. */
import type { YamlNode } from "#workflows";
import type { Found, Rule } from "../finding.ts";
import { itemsOf, nodeAt, pairAt, pairsOf, textAt, textOf } from "../tree.ts";

/** GitHub's. */
const leastMinutes = 5;
const maxInputs = 25;

export const events: Rule = {
  name: "events",
  summary: "A schedule or an input that a forge takes otherwise than it is meant",
  severity: "warning",
  kinds: ["workflow"],
  *check(document) {
    const on = nodeAt(document.root, "on");
    for (const item of itemsOf(nodeAt(on, "schedule"))) yield* tooOften(nodeAt(item, "cron"));
    const dispatched = pairAt(on, "workflow_dispatch");
    const inputs = pairsOf(nodeAt(dispatched?.value, "inputs"));
    if (dispatched !== undefined && inputs.length > maxInputs) {
      const message = `There are ${inputs.length} inputs, and GitHub takes ${maxInputs} at most`;
      yield { at: dispatched.key.start, message };
    }
    for (const { key, value } of inputs) yield* wrongOptions(key, value);
    for (const { key, value } of pairsOf(nodeAt(on, "workflow_call", "inputs"))) {
      const unused = nodeAt(value, "default");
      if (unused === undefined || textAt(value, "required") !== "true") continue;
      yield {
        at: unused.start,
        message: `Input "${key.value}" is required, so its default is never used. Keep one of them`,
      };
    }
  },
};

function* wrongOptions(key: YamlNode & { readonly value: string }, input: YamlNode): Iterable<Found> {
  const options = nodeAt(input, "options");
  if (options === undefined) return;
  if (textAt(input, "type") !== "choice")
    yield { at: key.start, message: `Input "${key.value}" has options, and is no choice. Write "type: choice"` };
  const seen = new Set<string>();
  for (const option of itemsOf(options)) {
    const text = textOf(option) ?? "";
    if (seen.has(text)) yield { at: option.start, message: `Option "${text}" of input "${key.value}" is there twice` };
    seen.add(text);
  }
}

function* tooOften(cron: YamlNode | undefined): Iterable<Found> {
  const minutes = minutesOf(textOf(cron)?.trim().split(/\s+/)[0] ?? "");
  if (cron === undefined || minutes.length < 2) return;
  const gaps = minutes.map((minute, at) => (minutes[at + 1] ?? (minutes[0] ?? 0) + 60) - minute);
  const least = Math.min(...gaps);
  if (least >= leastMinutes) return;
  const message = `This starts every ${least === 1 ? "minute" : `${least} minutes`}. GitHub starts nothing more often than every ${leastMinutes}`;
  yield { at: cron.start, message };
}

/** Minutes of an hour, in order; none for what is no such field. */
function minutesOf(field: string): readonly number[] {
  const minutes = field.split(",").flatMap((part) => {
    const match = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part);
    if (match === null) return [];
    const [, from, to, step] = match;
    const first = Number(from ?? 0);
    const last = from === undefined || (to === undefined && step !== undefined) ? 59 : Number(to ?? from);
    const by = Math.max(1, Number(step ?? 1));
    return Array.from(
      { length: Math.max(0, Math.floor((Math.min(last, 59) - first) / by) + 1) },
      (_none, at) => first + at * by,
    );
  });
  return [...new Set(minutes)].toSorted((a, b) => a - b);
}

/** Keys whose value is a number above nothing. */
const positive = ["timeout-minutes", "max-parallel"] as const;

export const valueRange: Rule = {
  name: "value-range",
  summary: "A number that ends a job before it starts, or lets none run",
  severity: "error",
  kinds: ["workflow"],
  *check(document) {
    const owners = [
      ...document.jobs.flatMap((job) => [job.node, nodeAt(job.node, "strategy")]),
      ...document.steps.map((step) => step.node),
    ];
    for (const owner of owners) {
      for (const name of positive) {
        const node = nodeAt(owner, name);
        if (node?.kind !== "scalar" || typeof node.value !== "number") continue;
        if (node.value <= 0) yield { at: node.start, message: `"${name}" is ${node.value}. Write a number above 0` };
        else if (name === "max-parallel" && !Number.isInteger(node.value))
          yield { at: node.start, message: `"${name}" is ${node.value}. Write a whole number` };
      }
    }
  },
};
