import { AppError } from "#lib";

/** There is no engine, or none that can be spoken with. */
export class EngineUnusable extends AppError<"engine/unusable"> {}

/** A container engine said no, in its own words. */
export class EngineError extends AppError<"engine/refused", { readonly status: number }> {}

/** An image could not be fetched or made; in the engine's words. */
export class ImageRefused extends AppError<"engine/no-image"> {}

export function isEngineStatus(thrown: unknown, ...statuses: readonly number[]): boolean {
  return thrown instanceof EngineError && statuses.includes(thrown.details?.status ?? 0);
}
