import type { AnyObject } from "#api";

export type FieldValidation = "Ignore" | "Warn" | "Strict";
export type Subresource = "status" | "scale";

/** What a write says besides its object. */
export interface WriteRequest {
  /** Whose fields these are. */
  readonly manager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  readonly subresource?: Subresource | undefined;
  /** What the text of the body says twice, in the words of a report. */
  readonly duplicates?: readonly string[];
  /** Told of what was accepted but is probably not meant (unknown fields, warnings of validation). */
  readonly warn: (message: string) => void;
  /**
   * Asked before anything is stored, dry runs too, with the object as it would be and as it was; throws to refuse.
   * Absent: the system itself writes.
   */
  readonly admit?: ((object: AnyObject, old: AnyObject | undefined) => void) | undefined;
}

/** Server-side apply: the manager is named by the client. */
export interface ApplyRequest extends WriteRequest {
  /** Takes fields over from their owners instead of failing with a conflict. */
  readonly force: boolean;
}

export function plainWrite(manager: string, dryRun = false): WriteRequest {
  return { manager, dryRun, fieldValidation: "Ignore", warn: () => {} };
}
