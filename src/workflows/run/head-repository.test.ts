import { equal } from "node:assert/strict";
import { test } from "node:test";
import { headRepository } from "./head-repository.ts";

const pull = (head: string, base?: string) => ({
  pull_request: {
    head: { repo: { full_name: head } },
    base: base === undefined ? {} : { repo: { full_name: base } },
  },
});

test("a run of a push is about its own repository, one of a fork's pull request about the fork", () => {
  equal(headRepository({ ref: "refs/heads/main" }, "acme/shop"), "acme/shop");
  equal(headRepository(pull("acme/shop", "acme/shop"), "acme/shop"), "acme/shop");
  equal(headRepository(pull("eve/shop", "acme/shop"), "acme/shop"), "eve/shop");
  equal(headRepository(pull("eve/shop"), "acme/shop"), "eve/shop");
});

test("what a mirror is called elsewhere makes no fork of it", () => {
  equal(headRepository(pull("acme-inc/shop", "Acme-Inc/shop"), "acme/shop"), "acme/shop");
});
