/** The name that was probably meant. Pure. */

/** Longer words are no typing errors of any name, and would cost their square. */
const maxLength = 100;

/** The known word at most two edits from this one, and fewer than it has letters; the first of those that are as near. */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  if (word.length > maxLength) return undefined;
  let best: string | undefined;
  let bestDistance = Math.min(3, word.length);
  for (const candidate of known) {
    if (candidate.length > maxLength) continue;
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(swap, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
