/** Times as text that keeps itself true. The exact time is in the tooltip. */
import { useNow } from "../data/now.ts";
import { agoText, durationText, growingText } from "./duration.ts";

export function Ago({ at }: { at: string }) {
  const time = Date.parse(at);
  // Seconds matter for the last minute only.
  const coarse = useNow(30_000);
  return Math.abs(coarse - time) < 90_000 ? <RecentAgo at={at} /> : <AgoLabel at={at} text={agoText(coarse - time)} />;
}

function RecentAgo({ at }: { at: string }) {
  const now = useNow(1000);
  return <AgoLabel at={at} text={agoText(now - Date.parse(at))} />;
}

function AgoLabel({ at, text }: { at: string; text: string }) {
  return (
    <time dateTime={at} title={new Date(at).toLocaleString()} className="nowrap">
      {text}
    </time>
  );
}

/** From `from` to `to`, or until now and growing. */
export function Span({ from, to }: { from: string; to?: string | undefined }) {
  if (to === undefined) return <GrowingSpan from={from} />;
  return <span className="nowrap">{durationText(Date.parse(to) - Date.parse(from))}</span>;
}

function GrowingSpan({ from }: { from: string }) {
  const now = useNow(1000);
  return <span className="nowrap">{growingText(now - Date.parse(from))}</span>;
}

export function ClockTime({ at }: { at: string }) {
  const date = new Date(at);
  return (
    <time dateTime={at} title={date.toLocaleString()} className="nowrap">
      {date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false })}
    </time>
  );
}
