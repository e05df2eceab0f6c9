/** What the shop sells. Prices are in cents; `stock` is what the warehouse has now. */
export const products = [
  { id: "kettle", name: "Kettle", price: 2990, stock: 12 },
  { id: "teapot", name: "Teapot", price: 4550, stock: 3 },
  { id: "cup", name: "Cup", price: 790, stock: 140 },
  { id: "whisk", name: "Whisk", price: 1290, stock: 0 },
];

export function findProduct(id) {
  return products.find((product) => product.id === id);
}
