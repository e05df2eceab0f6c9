/** Spans of time as text: two units at most, never a jump in what the units mean. Pure. */

/** `0.4 s`, `12 s`, `3 m 05 s`, `2 h 07 m`, `4 d 3 h`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} m ${pad(whole % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${pad(minutes % 60)} m`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A span that still grows is shown in whole seconds, so that its text changes once a second. */
export function growingText(ms: number): string {
  return ms < 10_000 ? `${Math.max(0, Math.floor(ms / 1000))} s` : durationText(Math.floor(ms / 1000) * 1000);
}

/** `just now`, `40 s ago`, `12 m ago`, `3 h ago`, `5 d ago`. */
export function agoText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} d ago`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
