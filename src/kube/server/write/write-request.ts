export type FieldValidation = "Ignore" | "Warn" | "Strict";
export type Subresource = "status" | "scale";

/** What a write says besides its object. */
export interface WriteRequest {
  /** Whose fields these are. */
  readonly manager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  readonly subresource?: Subresource | undefined;
  /** Told of what was accepted but is probably not meant (unknown fields, warnings of validation). */
  readonly warn: (message: string) => void;
}

export function plainWrite(manager: string, dryRun = false): WriteRequest {
  return { manager, dryRun, fieldValidation: "Ignore", warn: () => {} };
}
