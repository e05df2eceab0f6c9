/** The demo's figures, from what its customers saw and the timeline recorded. Pure. */
import type { RecordedEvent } from "#api";
import { isFailure, type RequestReport } from "./traffic-log.ts";

export interface ReleaseFigures {
  readonly version: string;
  readonly outcome: "promoted" | "rolled back";
  readonly commitToFirstTrafficMs: number;
  /** From the push to the last answer of any other version; null when it never had all traffic. */
  readonly commitToFullTrafficMs: number | null;
  readonly requests: number;
  readonly failedRequests: number;
  /** Share of the requests that the release answered while the first step's weight held; 1 for the first release. */
  readonly canaryShare: number;
  /** From the verdict of the analysis to the last request that the release was still given; null without a verdict. */
  readonly verdictToStableMs: number | null;
}

export interface ObservedRelease {
  readonly version: string;
  /** As `x-shop-version` names it. */
  readonly shopVersion: string;
  readonly pushedMs: number;
  readonly endedMs: number;
  readonly promoted: boolean;
  /** All requests sent from the push until the end. */
  readonly requests: readonly RequestReport[];
  /** What followed from the push, oldest first. */
  readonly events: readonly RecordedEvent[];
}

export function releaseFigures(observed: ObservedRelease): ReleaseFigures {
  const { requests, pushedMs, shopVersion, promoted } = observed;
  const own = requests.filter((request) => request.version === shopVersion);
  const others = requests.filter((request) => request.version !== shopVersion && request.version !== "");
  const first = Math.min(...own.map((request) => request.doneMs));
  const lastOther = others.length === 0 ? first : Math.max(...others.map((request) => request.doneMs), first);
  return {
    version: observed.version,
    outcome: promoted ? "promoted" : "rolled back",
    commitToFirstTrafficMs: Math.round(first - pushedMs),
    commitToFullTrafficMs: promoted ? Math.round(lastOther - pushedMs) : null,
    requests: requests.length,
    failedRequests: requests.filter(isFailure).length,
    canaryShare: others.length === 0 ? 1 : shareOfFirstStep(observed),
    verdictToStableMs: promoted ? null : verdictToStable(observed, own),
  };
}

/** Requests count by when they were sent; those on the way while the weight changed are left out at both ends. */
const marginMs = 100;

function shareOfFirstStep({ events, requests, shopVersion }: ObservedRelease): number {
  const steps = events.filter((event) => event.kind === "rollout-step" && Number(event.data["weight"]) > 0);
  const from = timeOf(steps[0]);
  const ends = events.filter((event) => isEndOfFirstStep(event, steps)).map(timeOf);
  const until = Math.min(...ends);
  const during = requests.filter(({ sentMs }) => sentMs > from + marginMs && sentMs < until - marginMs);
  if (during.length === 0) return 0;
  const own = during.filter((request) => request.version === shopVersion).length;
  return Math.round((own / during.length) * 1000) / 1000;
}

function isEndOfFirstStep(event: RecordedEvent, steps: readonly RecordedEvent[]): boolean {
  if (["rollout-aborted", "rollout-promoted", "analysis-completed"].includes(event.kind)) return true;
  return event.kind === "rollout-step" && Number(event.data["weight"]) > Number(steps[0]?.data["weight"]);
}

function verdictToStable({ events }: ObservedRelease, own: readonly RequestReport[]): number | null {
  const verdict = events.find((event) => event.kind === "analysis-completed" && event.tone === "bad");
  if (verdict === undefined) return null;
  const last = Math.max(...own.map((request) => request.sentMs));
  return Math.max(0, Math.round(last - timeOf(verdict)));
}

function timeOf(event: RecordedEvent | undefined): number {
  return event === undefined ? Number.NaN : Temporal.Instant.from(event.at).epochMilliseconds;
}
