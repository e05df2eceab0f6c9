import { products } from "./catalog.js";
import { formatPrice } from "./price.js";

export function homePage(version) {
  const rows = products.map(
    (product) => `<li><a href="/products/${product.id}">${product.name}</a> ${formatPrice(product.price)}</li>`,
  );
  return page("Shop", `<h1>Shop ${version}</h1><ul>${rows.join("")}</ul>`);
}

export function productPage(product) {
  const price = `<p>${formatPrice(product.price)}</p><p>${availability(product)}</p>`;
  return page(product.name, `<h1>${product.name}</h1>${price}`);
}

/**
 * New in this release, and wrong: the warehouse sends no restock date for what it has run out of. The tests only look
 * at products in stock, so they pass; customers who look at the whisk find out.
 */
function availability(product) {
  return product.stock > 0 ? `${product.stock} in stock` : `Back on ${product.restock.date}`;
}

function page(title, body) {
  return `<!doctype html><meta charset="utf-8"><title>${title}</title>${body}`;
}
