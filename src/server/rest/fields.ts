/** Reads the fields of a request's body, each of them checked. */
import type { FastifyRequest } from "fastify";
import { isObject } from "#lib";
import { badField, missingField } from "./rest-error.ts";

export class Fields {
  readonly #body: Readonly<Record<string, unknown>>;
  readonly #resource: string;

  /** @param resource what the body is about, as GitHub calls it */
  constructor(body: unknown, resource: string) {
    this.#body = isObject(body) ? body : {};
    this.#resource = resource;
  }

  has(name: string): boolean {
    return this.#body[name] !== undefined;
  }

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined || value === "") throw missingField(this.#resource, name);
    return value;
  }

  /** Null counts as not given. */
  optionalText(name: string): string | undefined {
    return this.nullableText(name) ?? undefined;
  }

  nullableText(name: string): string | null | undefined {
    const value = this.#body[name];
    if (value === undefined || value === null || typeof value === "string") return value;
    throw badField(this.#resource, name, `${name} must be a text`);
  }

  flag(name: string): boolean | undefined {
    const value = this.#body[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === "boolean") return value;
    // Uploads and old clients write words.
    if (value === "true" || value === "false") return value === "true";
    throw badField(this.#resource, name, `${name} must be true or false`);
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    const value = this.optionalText(name);
    if (value === undefined) return undefined;
    const found = values.find((one) => one === value);
    if (found !== undefined) return found;
    throw badField(this.#resource, name, `${name} must be one of ${values.join(", ")}`);
  }

  texts(name: string): readonly string[] | undefined {
    const value = this.#body[name];
    if (value === undefined || value === null) return undefined;
    if (Array.isArray(value) && value.length <= 1000 && value.every((one) => typeof one === "string")) return value;
    throw badField(this.#resource, name, `${name} must be a list of texts`);
  }

  object(name: string): Fields | undefined {
    const value = this.#body[name];
    if (value === undefined || value === null) return undefined;
    if (isObject(value)) return new Fields(value, this.#resource);
    throw badField(this.#resource, name, `${name} must be an object`);
  }

  objects(name: string): readonly Fields[] | undefined {
    const value = this.#body[name];
    if (value === undefined || value === null) return undefined;
    if (Array.isArray(value) && value.every(isObject)) return value.map((one) => new Fields(one, this.#resource));
    throw badField(this.#resource, name, `${name} must be a list of objects`);
  }

  number(name: string): number | undefined {
    const value = this.#body[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === "number" && Number.isSafeInteger(value)) return value;
    throw badField(this.#resource, name, `${name} must be a whole number`);
  }

  /** A time as ISO 8601 has it, in milliseconds since 1970. */
  time(name: string): number | undefined {
    const value = this.optionalText(name);
    if (value === undefined) return undefined;
    const ms = Date.parse(value);
    if (Number.isFinite(ms)) return ms;
    throw badField(this.#resource, name, `${name} must be a time, e.g. 2026-01-31T12:00:00Z`);
  }

  /** As it came; whoever takes it checks it. */
  raw(name: string): unknown {
    return this.#body[name];
  }
}

/** Lines are as long as whoever wrote them likes; anything else is a mistake that would be kept as content. */
export function bytesOf64(text: string): Buffer | undefined {
  const plain = text.replaceAll(/\s/g, "");
  return /^[A-Za-z0-9+/]*={0,2}$/.test(plain) && plain.replace(/=+$/, "").length % 4 !== 1
    ? Buffer.from(plain, "base64")
    : undefined;
}

export function fieldsOf(request: FastifyRequest, resource: string): Fields {
  return new Fields(request.body, resource);
}

/** A number of a path; 0, which nothing has, for what is none. */
export function numberOf(text: string): number {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0;
}

export function queryText(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Record<string, unknown>)[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}
