import { AppError } from "#lib";

export type ImageErrorCode =
  | "images/bad-reference"
  | "images/registry-refused"
  | "images/registry-unreachable"
  | "images/digest-mismatch"
  | "images/no-such-platform"
  | "images/too-large"
  | "images/engine-failed";

export interface ImageErrorDetails {
  /** HTTP status of the registry's answer, when there was one. */
  readonly status?: number;
}

/** An image could not be read, built or sent. Messages carry no credentials. */
export class ImageError extends AppError<ImageErrorCode, ImageErrorDetails> {}
