/** `29.90 €` for 2990 cents. */
export function formatPrice(cents) {
  return `${(cents / 100).toFixed(2)} €`;
}
