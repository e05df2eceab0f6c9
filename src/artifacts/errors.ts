import { AppError } from "#lib";

export type ArtifactsErrorCode =
  | "artifacts/already-exists"
  | "artifacts/forbidden"
  | "artifacts/invalid"
  | "artifacts/not-found"
  | "artifacts/too-large";

export class ArtifactsError extends AppError<ArtifactsErrorCode> {}
