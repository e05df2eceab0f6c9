import { defineKind } from "../meta/kind.ts";
import { ageSince } from "../meta/human-age.ts";
import { type Event, events } from "./core-types.ts";

function firstSeen(event: Event): string | null | undefined {
  return event.firstTimestamp ?? event.eventTime;
}

function lastSeen(event: Event): string | null | undefined {
  return event.lastTimestamp ?? firstSeen(event);
}

export const eventKind = defineKind<Event>({
  type: events,
  singular: "event",
  shortNames: ["ev"],
  status: false,
  generation: false,
  fields: [
    "involvedObject",
    "reason",
    "message",
    "source",
    "firstTimestamp",
    "lastTimestamp",
    "count",
    "type",
    "eventTime",
    "series",
    "action",
    "related",
    "reportingComponent",
    "reportingInstance",
  ],
  validate({ involvedObject, metadata }) {
    if (typeof involvedObject !== "object") return [{ path: "involvedObject", message: "Required value" }];
    const { namespace } = involvedObject;
    if (namespace === undefined || namespace === "" || namespace === metadata.namespace) return [];
    const message = `Invalid value: ${JSON.stringify(namespace)}: does not match event.namespace`;
    return [{ path: "involvedObject.namespace", message }];
  },
  ownColumnsOnly: true,
  columns: [
    { name: "Last Seen", cell: (event, now) => ageSince(lastSeen(event), now) },
    { name: "Type", cell: ({ type }) => type ?? "" },
    { name: "Reason", cell: ({ reason }) => reason ?? "" },
    {
      name: "Object",
      cell: ({ involvedObject: { kind = "", name = "" } }) => (name === "" ? kind : `${kind.toLowerCase()}/${name}`),
    },
    { name: "Subobject", wide: true, cell: ({ involvedObject }) => involvedObject.fieldPath ?? "" },
    {
      name: "Source",
      wide: true,
      cell: ({ source, reportingComponent }) =>
        [source?.component ?? reportingComponent ?? "", source?.host ?? ""].filter((part) => part !== "").join(", "),
    },
    { name: "Message", cell: ({ message }) => (message ?? "").trim() },
    { name: "First Seen", wide: true, cell: (event, now) => ageSince(firstSeen(event), now) },
    { name: "Count", wide: true, cell: ({ count }) => String(count ?? 1) },
    { name: "Name", wide: true, cell: ({ metadata }) => metadata.name },
  ],
  selectableFields: {
    "involvedObject.kind": ({ involvedObject }) => involvedObject.kind ?? "",
    "involvedObject.namespace": ({ involvedObject }) => involvedObject.namespace ?? "",
    "involvedObject.name": ({ involvedObject }) => involvedObject.name ?? "",
    "involvedObject.uid": ({ involvedObject }) => involvedObject.uid ?? "",
    "involvedObject.apiVersion": ({ involvedObject }) => involvedObject.apiVersion ?? "",
    "involvedObject.fieldPath": ({ involvedObject }) => involvedObject.fieldPath ?? "",
    reason: ({ reason }) => reason ?? "",
    reportingComponent: ({ reportingComponent }) => reportingComponent ?? "",
    source: ({ source, reportingComponent }) => source?.component ?? reportingComponent ?? "",
    type: ({ type }) => type ?? "",
  },
});
