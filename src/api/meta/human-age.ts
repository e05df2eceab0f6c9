/**
 * A span the way `kubectl get` shows ages: one unit where it says enough, two where the smaller one still matters.
 *
 * 90 s → `90s`, 150 s → `2m30s`, 15 min → `15m`, 5 h → `5h`, 3 d 4 h → `3d4h`, 12 d → `12d`, 3 years → `3y`.
 */
export function humanAge(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return two(days, "d", hours % 24, "h");
  if (days < 2 * 365) return `${days}d`;
  const years = Math.floor(days / 365);
  return years < 8 ? two(years, "y", days % 365, "d") : `${years}y`;
}

/** `humanAge` of the time since an RFC 3339 timestamp; `<unknown>` without one. */
export function ageSince(timestamp: string | null | undefined, now: Temporal.Instant): string {
  if (timestamp === undefined || timestamp === null || timestamp === "") return "<unknown>";
  try {
    return humanAge(now.epochMilliseconds - Temporal.Instant.from(timestamp).epochMilliseconds);
  } catch {
    // Not a timestamp: somebody wrote it by hand; the rest of the row is still worth showing.
    return "<invalid>";
  }
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}
