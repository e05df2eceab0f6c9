/** Pages of a list, as GitHub links them (RFC 8288). */
import type { FastifyReply, FastifyRequest } from "fastify";

interface PageQuery {
  readonly page: number;
  readonly perPage: number;
}

const defaultPerPage = 30;
const maxPerPage = 100;

/** What does not fit counts as not given; exported for its test. */
export function readPage(query: Readonly<Record<string, unknown>>): PageQuery {
  const number = (name: string, fallback: number, max: number): number => {
    const value = Number(query[name]);
    return Number.isInteger(value) && value >= 1 ? Math.min(value, max) : fallback;
  };
  return { page: number("page", 1, 1_000_000), perPage: number("per_page", defaultPerPage, maxPerPage) };
}

/** The `Link` header; undefined when one page has it all. `last` only where the number of items is known. */
export function linkHeader(
  url: string,
  { page, perPage }: PageQuery,
  { total, more }: { readonly total?: number; readonly more?: boolean },
): string | undefined {
  const at = (number: number, rel: string): string => {
    const target = new URL(url);
    target.searchParams.set("page", String(number));
    return `<${target.href}>; rel="${rel}"`;
  };
  const last = total === undefined ? undefined : Math.max(1, Math.ceil(total / perPage));
  const links: string[] = [];
  if (page > 1) links.push(at(last === undefined ? page - 1 : Math.min(page - 1, last), "prev"));
  if (last === undefined ? more === true : page < last) links.push(at(page + 1, "next"));
  if (last !== undefined && page < last) links.push(at(last, "last"));
  if (page > 1) links.push(at(1, "first"));
  return links.length === 0 ? undefined : links.join(", ");
}

export function pageOf(request: FastifyRequest): PageQuery {
  return readPage(request.query as Record<string, unknown>);
}

/** The page that is asked for out of a whole list, with its links set. */
export function paged<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  serverUrl: string,
  all: readonly T[],
): readonly T[] {
  const query = pageOf(request);
  const link = linkHeader(serverUrl + request.url, query, { total: all.length });
  if (link !== undefined) void reply.header("link", link);
  return all.slice((query.page - 1) * query.perPage, query.page * query.perPage);
}

/** Of a list that is read page by page: `items` may be one longer than the page, which says that there are more. */
export function pagedMore<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  serverUrl: string,
  items: readonly T[],
): readonly T[] {
  const query = pageOf(request);
  const link = linkHeader(serverUrl + request.url, query, { more: items.length > query.perPage });
  if (link !== undefined) void reply.header("link", link);
  return items.slice(0, query.perPage);
}
