/** Speaks HTTP with the product API. Everything that goes wrong becomes an `ApiFault` that a page can show. */
import type { ApiFailure } from "#api";

export const apiBase = "/api/tidegate/v1";

/** `status` is 0 when there was no answer at all. */
export class ApiFault extends Error {
  readonly status: number;
  readonly problems: readonly string[];

  constructor(status: number, message: string, problems: readonly string[] = []) {
    super(message);
    this.name = "ApiFault";
    this.status = status;
    this.problems = problems;
  }
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return await ask<T>(path, signal === undefined ? {} : { signal });
}

export async function postJson<T>(path: string, body: object = {}): Promise<T> {
  return await ask<T>(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** An id that may hold slashes, for a wildcard route: each part is escaped, the slashes stay. */
export function pathOf(id: string): string {
  return id.split("/").map(encodeURIComponent).join("/");
}

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  const headers = new Headers(init.headers);
  headers.set("accept", "application/json");
  const response = await fetch(`${apiBase}${path}`, { ...init, headers }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiFault(0, "Tidegate does not answer");
  });
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw faultOf(response.status, body);
  return body as T;
}

function faultOf(status: number, body: unknown): ApiFault {
  const failure = (body as Partial<ApiFailure> | undefined)?.error;
  return new ApiFault(status, failure?.message ?? `Tidegate answered with status ${status}`, failure?.problems);
}
