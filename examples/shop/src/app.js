import { createServer } from "node:http";
import { findProduct, products } from "./catalog.js";
import { homePage, productPage } from "./pages.js";

/** The shop as an HTTP server that does not listen yet, so that tests choose the port. */
export function createShop({ version }) {
  return createServer((request, response) => {
    try {
      route(request, response, version);
    } catch (error) {
      console.error(`${request.method} ${request.url}: ${error.message}`);
      send(response, 500, "text/plain", "The shop has a problem\n");
    }
  });
}

function route(request, response, version) {
  response.setHeader("x-shop-version", version);
  const { pathname } = new URL(request.url, "http://shop");
  if (pathname === "/healthz") return send(response, 200, "text/plain", "ok\n");
  if (pathname === "/") return send(response, 200, "text/html", homePage(version));
  if (pathname === "/api/products") return send(response, 200, "application/json", JSON.stringify(products));
  const id = /^\/products\/([\w-]+)$/.exec(pathname)?.[1];
  const product = id === undefined ? undefined : findProduct(id);
  if (product === undefined) return send(response, 404, "text/plain", "No such page\n");
  return send(response, 200, "text/html", productPage(product));
}

function send(response, status, type, body) {
  response.writeHead(status, { "content-type": `${type}; charset=utf-8`, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
