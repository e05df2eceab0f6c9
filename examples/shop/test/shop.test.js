import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { createShop } from "../src/app.js";
import { formatPrice } from "../src/price.js";

const server = createShop({ version: "test" });
let base;

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

test("prices are shown with two decimals", () => {
  assert.equal(formatPrice(790), "7.90 €");
});

test("the home page lists the products and names the version", async () => {
  const response = await fetch(`${base}/`);
  assert.equal(response.status, 200);
  assert.match(await response.text(), /Shop test.*Kettle/);
});

test("a product page shows the price", async () => {
  const response = await fetch(`${base}/products/kettle`);
  assert.equal(response.status, 200);
  assert.match(await response.text(), /29\.90 €/);
});

test("an unknown product is not found", async () => {
  assert.equal((await fetch(`${base}/products/nothing`)).status, 404);
});

test("the shop says that it is well", async () => {
  assert.equal((await fetch(`${base}/healthz`)).status, 200);
});
