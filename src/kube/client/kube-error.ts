import { AppError, isObject } from "#lib";

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
  /** Where a list may go on though its state is gone; stands in the metadata of the Status. */
  readonly continue?: string;
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

/** The error that a server's `Status` tells of. A reason that is not known here becomes that of its HTTP status. */
export function kubeErrorOf(status: Readonly<Record<string, unknown>>, httpStatus: number): KubeError {
  const { reason, message, details, code } = status;
  const number = typeof code === "number" ? code : httpStatus;
  const known = typeof reason === "string" && reason in codes ? (reason as KubeReason) : reasonOfCode(number);
  const text = typeof message === "string" ? message : `The cluster answered with HTTP ${number}`;
  return new KubeError(known, text, isObject(details) ? details : {});
}

function reasonOfCode(code: number): KubeReason {
  const found = (Object.keys(codes) as KubeReason[]).find((reason) => codes[reason] === code);
  return found ?? (code >= 400 && code < 500 ? "BadRequest" : "InternalError");
}
