import assert from "node:assert/strict";
import { test } from "node:test";
import { linkHeader, readPage } from "./paging.ts";

test("a page has at most a hundred items, and what does not fit counts as not given", () => {
  assert.deepEqual(readPage({}), { page: 1, perPage: 30 });
  assert.deepEqual(readPage({ page: "3", per_page: "500" }), { page: 3, perPage: 100 });
  assert.deepEqual(readPage({ page: "-1", per_page: "many" }), { page: 1, perPage: 30 });
});

test("links lead to the pages around, and keep the rest of the query", () => {
  const url = "http://127.0.0.1:7070/api/v3/repos/acme/shop/tags?per_page=2&page=2";
  const at = (page: number, rel: string): string =>
    `<${url.replace("page=2&page=2", `page=2&page=${page}`)}>; rel="${rel}"`;
  const middle = [at(1, "prev"), at(3, "next"), at(3, "last"), at(1, "first")].join(", ");
  assert.equal(linkHeader(url, { page: 2, perPage: 2 }, { total: 5 }), middle);
  assert.equal(linkHeader(url, { page: 1, perPage: 30 }, { total: 5 }), undefined);
  assert.equal(linkHeader(url, { page: 1, perPage: 2 }, { more: true }), at(2, "next"));
});
