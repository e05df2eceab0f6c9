/** An Application's differences for people: YAML in which only what differs differs. Pure. */
import { stringify } from "yaml";
import type { AnyObject, ResourceDiff } from "#api";
import { sha256Hex } from "#lib";
import type { ComparedObject } from "./compare.ts";
import { comparable, withoutSecrets } from "./diff/normalise.ts";

export function resourceDiffs(objects: readonly ComparedObject[]): ResourceDiff[] {
  return objects.map((object) => ({ ...object.key, change: changeOf(object), ...textsOf(object) }));
}

function changeOf({ prune, live, status }: ComparedObject): ResourceDiff["change"] {
  if (prune) return "prune";
  if (live === undefined) return "create";
  return status === "OutOfSync" ? "update" : "none";
}

function textsOf({ live, target, prune, difference }: ComparedObject): Pick<ResourceDiff, "live" | "target"> {
  return {
    live: live === undefined ? "" : text(difference?.live ?? comparable(live)),
    target: prune || target === undefined ? "" : text(difference?.predicted ?? comparable(target)),
  };
}

function text(object: AnyObject): string {
  return stringify(withoutSecrets(object, sha256Hex), { sortMapEntries: true, lineWidth: 0 });
}
