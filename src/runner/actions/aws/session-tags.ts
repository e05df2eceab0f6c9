/** Tags of a session that is opened with access keys: which repository, workflow and commit it is for. */
import { isObject } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";

export interface SessionTag {
  readonly key: string;
  readonly value: string;
  /** Left out when AWS says that the tags are too large together. */
  readonly droppable: boolean;
}

const fromContext: readonly (readonly [string, string, boolean])[] = [
  ["Repository", "repository", false],
  ["Workflow", "workflow", false],
  ["Action", "action", false],
  ["Actor", "actor", false],
  ["Commit", "sha", false],
  ["Branch", "ref", false],
  ["EventName", "event_name", true],
  ["BaseRef", "base_ref", true],
  ["HeadRef", "head_ref", true],
  ["RunId", "run_id", true],
  ["Job", "job", true],
  ["TriggeringActor", "triggering_actor", true],
];

const maxTags = 50;
const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

export function sessionTags(call: ActionCall, custom: string): readonly SessionTag[] {
  const own = fromContext.flatMap(([key, name, droppable]): SessionTag[] => {
    const value = name === "action" ? call.step.scope.place.name : call.github(name);
    return value === "" ? [] : [{ key, value: tagValue(value), droppable }];
  });
  const tags = [{ key: "GitHub", value: "Actions", droppable: false }, ...own];
  return custom === "" ? tags : [...tags, ...customTags(custom, tags.length)];
}

/** What may not be in a tag becomes an underscore. */
function tagValue(text: string): string {
  return text.replaceAll(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, "_").slice(0, 256);
}

function customTags(text: string, before: number): readonly SessionTag[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new StepFailure("custom-tags: input is not valid JSON");
  }
  if (!isObject(parsed)) throw new StepFailure("custom-tags: input must be a JSON object (not an array or primitive)");
  const reserved = new Set(["GitHub", ...fromContext.map(([key]) => key)]);
  const tags = Object.entries(parsed).map(([key, value]): SessionTag => {
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
      throw new StepFailure(
        `custom-tags: value for key '${key}' must be a string, number, or boolean (not an object or array)`,
      );
    }
    const written = String(value);
    if (key === "" || key.length > 128 || written.length > 256) {
      throw new StepFailure(`custom-tags: key '${key}' may have 128 characters, and its value 256`);
    }
    if (!allowed.test(key) || !allowed.test(written)) {
      throw new StepFailure(
        `custom-tags: key '${key}' or its value contains invalid characters. Allowed: unicode letters, digits, spaces, and _.:/=+-@`,
      );
    }
    if (reserved.has(key)) {
      throw new StepFailure(
        `custom-tags: key '${key}' conflicts with a protected session tag set by this action and cannot be overridden`,
      );
    }
    return { key, value: written, droppable: false };
  });
  if (before + tags.length > maxTags) {
    throw new StepFailure(`custom-tags: total session tags (${before + tags.length}) would exceed the AWS limit of 50`);
  }
  return tags;
}
