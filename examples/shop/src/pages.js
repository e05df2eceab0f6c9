import { products } from "./catalog.js";
import { formatPrice } from "./price.js";

export function homePage(version) {
  const rows = products.map((product) => `<li><a href="/products/${product.id}">${product.name}</a></li>`);
  return page("Shop", `<h1>Shop ${version}</h1><ul>${rows.join("")}</ul>`);
}

export function productPage(product) {
  return page(product.name, `<h1>${product.name}</h1><p>${formatPrice(product.price)}</p>`);
}

function page(title, body) {
  return `<!doctype html><meta charset="utf-8"><title>${title}</title>${body}`;
}
