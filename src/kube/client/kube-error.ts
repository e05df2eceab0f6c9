import { AppError } from "#lib";

export type KubeReason =
  | "NotFound"
  | "AlreadyExists"
  | "Conflict"
  | "Invalid"
  | "BadRequest"
  | "Unauthorized"
  | "Forbidden"
  | "Expired"
  | "Timeout"
  | "UnsupportedMediaType"
  | "NotAcceptable"
  | "MethodNotAllowed"
  | "RequestEntityTooLarge"
  | "TooManyRequests"
  | "InternalError"
  | "ServiceUnavailable";

export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

const codes: Readonly<Record<KubeReason, number>> = {
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  Invalid: 422,
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  Expired: 410,
  Timeout: 504,
  UnsupportedMediaType: 415,
  NotAcceptable: 406,
  MethodNotAllowed: 405,
  RequestEntityTooLarge: 413,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
};

/** A refusal of a Kubernetes API, embedded or remote: what the `Status` object says. */
export class KubeError extends AppError<`kube/${string}`, StatusDetails> {
  readonly reason: KubeReason;
  readonly httpCode: number;

  constructor(reason: KubeReason, message: string, details: StatusDetails = {}, cause?: unknown) {
    super(`kube/${reason}`, message, { details, cause });
    this.reason = reason;
    this.httpCode = codes[reason];
  }
}

export function isKubeError(error: unknown, reason: KubeReason): boolean {
  return error instanceof KubeError && error.reason === reason;
}
