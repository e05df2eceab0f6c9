import { AppError } from "#lib";

/** The error codes of the OCI distribution specification. */
export type OciCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "SIZE_INVALID"
  | "UNAUTHORIZED"
  | "DENIED"
  | "UNSUPPORTED";

export interface RegistryErrorDetails {
  readonly oci: OciCode;
  readonly status: number;
  /** Shown to the client beside the message. */
  readonly detail?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request the registry cannot carry out; the routes send it as the specification's error body. */
export class RegistryError extends AppError<"registry/refused", RegistryErrorDetails> {
  constructor(oci: OciCode, status: number, message: string, more: Omit<RegistryErrorDetails, "oci" | "status"> = {}) {
    super("registry/refused", message, { details: { oci, status, ...more } });
  }
}

/** The specification's error body. */
export function errorBody(oci: OciCode, message: string, detail?: unknown): string {
  return JSON.stringify({ errors: [{ code: oci, message, ...(detail === undefined ? {} : { detail }) }] });
}
