/** Events as newer clients write them (`events.k8s.io/v1`): the same objects, their fields under other names. */
import { defineKind, type PrinterColumn } from "../meta/kind.ts";
import type { AnyObject } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";
import { events } from "./core-types.ts";
import { eventKind } from "./event-kind.ts";

const type: ResourceType = {
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  namespaced: true,
};

/** Newer name → older name; all others are the same in both. */
const names: Readonly<Record<string, string>> = {
  note: "message",
  regarding: "involvedObject",
  reportingController: "reportingComponent",
  deprecatedSource: "source",
  deprecatedFirstTimestamp: "firstTimestamp",
  deprecatedLastTimestamp: "lastTimestamp",
  deprecatedCount: "count",
};
const newNames = Object.fromEntries(Object.entries(names).map(([newer, older]) => [older, newer]));

export const newerEventKind = defineKind({
  type,
  singular: "event",
  shortNames: ["ev"],
  status: false,
  generation: false,
  storedAs: {
    type: events,
    to: (object) => renamed(object, names, "v1"),
    from: (object) => renamed(object, newNames, "events.k8s.io/v1"),
  },
  ownColumnsOnly: true,
  columns: (eventKind.columns ?? []).map((column): PrinterColumn => ({
    ...column,
    cell: (object, now) => column.cell(renamed(object, names, "v1"), now),
  })),
  ...(eventKind.selectableFields === undefined ? {} : { selectableFields: eventKind.selectableFields }),
});

function renamed(object: AnyObject, by: Readonly<Record<string, string>>, apiVersion: string): AnyObject {
  const entries = Object.entries(object).map(([name, value]) => [by[name] ?? name, value] as const);
  return { ...(Object.fromEntries(entries) as AnyObject), apiVersion };
}
