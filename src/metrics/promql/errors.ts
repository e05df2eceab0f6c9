import { AppError } from "#lib";

/** The query cannot be read (`bad_data`) or cannot be carried out (`execution`). */
export class PromqlError extends AppError<"metrics/bad-query" | "metrics/query-failed"> {}

export function badQuery(message: string): PromqlError {
  return new PromqlError("metrics/bad-query", message);
}

export function queryFailed(message: string): PromqlError {
  return new PromqlError("metrics/query-failed", message);
}
