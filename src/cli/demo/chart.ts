/** The traffic split over time in text: one column a time slot, one row a version, darker the more it answered. */
import { isFailure, type RequestReport } from "./traffic-log.ts";

const shades = [" ", "░", "▒", "▓", "█"] as const;

export function trafficChart(requests: readonly RequestReport[], versions: readonly string[], width = 64): string {
  const first = requests[0]?.sentMs ?? 0;
  const last = requests.at(-1)?.sentMs ?? first + 1;
  const slotMs = Math.max(1, (last - first) / width);
  const slots = Map.groupBy(requests, (request) => Math.min(width - 1, Math.floor((request.sentMs - first) / slotMs)));
  const rows = versions.map((version) => {
    const cells = Array.from({ length: width }, (_slot, index) => shade(share(slots.get(index) ?? [], version)));
    return `${version.padEnd(8)}│${cells.join("")}│`;
  });
  const failed = Array.from({ length: width }, (_slot, index) =>
    (slots.get(index) ?? []).some(isFailure) ? "×" : " ",
  );
  const axis = `${" ".repeat(8)}└${"─".repeat(width)}┘`;
  const seconds = `${((last - first) / 1000).toFixed(0)} s`;
  return [
    ...rows,
    `${"failed".padEnd(8)}│${failed.join("")}│`,
    axis,
    `${" ".repeat(9)}0${seconds.padStart(width - 1)}`,
  ].join("\n");
}

function share(requests: readonly RequestReport[], version: string): number {
  const answered = requests.filter((request) => request.version !== "");
  if (answered.length === 0) return 0;
  return answered.filter((request) => request.version === version).length / answered.length;
}

/** Any share above nothing is shown: 1 % as much as 25 %. */
function shade(value: number): string {
  if (value === 0) return shades[0];
  return shades[Math.min(4, Math.max(1, Math.ceil(value * 4)))] ?? "█";
}
