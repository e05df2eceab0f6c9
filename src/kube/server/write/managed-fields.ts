/**
 * Who wrote an object last, through which verb. Entries say manager, operation and time; which fields are
 * whose, which server-side apply needs, is not kept, so `fieldsV1` is empty.
 */
import { type AnyObject, apiVersionOf } from "#api";
import { isObject } from "#lib";
import type { ServedKind } from "../registry/served-kind.ts";
import type { WriteRequest } from "./write-request.ts";

/** The entries after a write that changed something. What the writer sent itself counts, so that clients can edit entries. */
export function recordWrite(kind: ServedKind, object: AnyObject, request: WriteRequest, time: string): unknown[] {
  const entries = (object.metadata.managedFields ?? []).filter(isObject);
  const mine = {
    manager: request.manager,
    operation: "Update",
    apiVersion: apiVersionOf(kind.type),
    time,
    fieldsType: "FieldsV1",
    fieldsV1: {},
    ...(request.subresource === undefined ? {} : { subresource: request.subresource }),
  };
  const others = entries.filter(
    (entry) =>
      entry["manager"] !== mine.manager ||
      entry["operation"] !== "Update" ||
      entry["subresource"] !== request.subresource,
  );
  return [...others, mine];
}
