import { ageSince } from "./human-age.ts";
import type { PrinterColumn } from "./kind.ts";
import type { KubeObject } from "./object.ts";

/** For kinds that list all their columns themselves. */
export function ageColumn<T extends KubeObject>(): PrinterColumn<T> {
  return { name: "Age", cell: ({ metadata }, now) => ageSince(metadata.creationTimestamp, now) };
}
