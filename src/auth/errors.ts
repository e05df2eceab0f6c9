import { AppError } from "#lib";

export class AuthError extends AppError<
  "auth/invalid" | "auth/invalid-token-request" | "auth/unknown-token" | "auth/unreadable-key"
> {}
