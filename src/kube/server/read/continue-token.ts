/** Where the next page of a list starts: the revision all pages share, and the last place given. */
import { badRequest } from "../refusals.ts";

export interface ContinueToken {
  /** Absent in a token that goes on in the present, after the past it was of has gone. */
  readonly revision?: number;
  readonly namespace: string;
  readonly name: string;
}

export function formatContinue(token: ContinueToken): string {
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

/** Throws BadRequest when the text was not made by `formatContinue`. */
export function parseContinue(text: string): ContinueToken {
  try {
    const value = JSON.parse(Buffer.from(text, "base64url").toString()) as Partial<ContinueToken>;
    const { revision, namespace, name } = value;
    if (typeof namespace === "string" && typeof name === "string") {
      if (revision === undefined) return { namespace, name };
      if (Number.isSafeInteger(revision) && revision >= 0) return { revision, namespace, name };
    }
  } catch {
    // Not JSON: the same answer as for JSON of another shape.
  }
  throw badRequest("continue key is not valid: it must be the one of the previous page");
}
