/**
 * The order of a list after an apply, by the steps that name its items: what the applier asks for stands in its order,
 * what it does not know of stays before the next item both have.
 *
 * live [a, b, c]: asked [c, a] → [b, c, a]; [x] → [a, b, c, x]; [x, b] → [a, x, b, c]. Pure.
 */
export function mergeOrder(live: readonly string[], asked: readonly string[]): string[] {
  const isAsked = new Set(asked);
  const isLive = new Set(live);
  const shared = asked.filter((step) => isLive.has(step));
  const done = new Set<string>();
  const result: string[] = [];
  function take(step: string): void {
    done.add(step);
    result.push(step);
    if (shared[0] === step) shared.shift();
  }
  for (let i = 0, j = 0; i < live.length || j < asked.length;) {
    const mine = live[i];
    const wanted = asked[j];
    if (mine !== undefined && mine === wanted) {
      take(mine);
      i += 1;
      j += 1;
    } else if (mine !== undefined && !isAsked.has(mine)) {
      take(mine);
      i += 1;
    } else if (mine !== undefined && (done.has(mine) || (wanted !== undefined && shared[0] !== mine))) {
      // Asked for at another place: it stands there.
      i += 1;
    } else if (wanted !== undefined) {
      take(wanted);
      j += 1;
    }
  }
  return result;
}
