/** The one ticking clock. It ticks each second while somebody looks, and stands still in a hidden tab. */
import { useCallback, useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

function tick(): void {
  now = Date.now();
  for (const listener of listeners) listener();
}

function adjust(): void {
  const wanted = listeners.size > 0 && document.visibilityState === "visible";
  if (wanted && timer === undefined) {
    tick();
    timer = setInterval(tick, 1000);
  } else if (!wanted && timer !== undefined) {
    clearInterval(timer);
    timer = undefined;
  }
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) document.addEventListener("visibilitychange", adjust);
  listeners.add(listener);
  adjust();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) document.removeEventListener("visibilitychange", adjust);
    adjust();
  };
}

/** Milliseconds since the epoch, in steps: a component that shows minutes is not drawn each second. */
export function useNow(stepMs: number): number {
  const snapshot = useCallback(() => Math.floor(now / stepMs) * stepMs, [stepMs]);
  return useSyncExternalStore(subscribe, snapshot);
}
