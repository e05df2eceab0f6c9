/** The canary's share over time. The chart draws on a canvas, so it is told the colours when they change. */
import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import type { RolloutDetail } from "#api";
import { useNow } from "../../data/now.ts";
import { newestRelease, weightSeries } from "./weight-series.ts";
import "uplot/dist/uPlot.min.css";

const height = 236;
/** In seconds: the shortest stretch of time shown, and the steps that its axis may take. */
const shortest = 20;
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400, 172_800, 604_800];
const dark = matchMedia("(prefers-color-scheme: dark)");

export function WeightChart({ rollout }: { rollout: RolloutDetail }) {
  const [all, setAll] = useState(false);
  const moving = rollout.phase === "Progressing" || rollout.phase === "Paused";
  const now = useNow(moving ? 1000 : 60_000);
  const weights = useMemo(() => (all ? rollout.weights : newestRelease(rollout.weights)), [all, rollout.weights]);
  const shown = useMemo(() => {
    // A release that is over is not stretched until today.
    const last = Date.parse(weights.at(-1)?.at ?? "");
    const first = Date.parse(weights[0]?.at ?? "");
    const end = moving ? now : Math.min(now, last + Math.max(5000, (last - first) * 0.15));
    return weightSeries(weights, end);
  }, [weights, moving, now]);
  if (rollout.weights.length === 0) return <p className="rollout-none">No traffic has been moved yet.</p>;
  return (
    <figure className="chart">
      <Plot times={shown.times} weights={shown.weights} />
      <figcaption>
        <button
          type="button"
          className="button button-bare button-small"
          aria-pressed={!all}
          onClick={() => setAll(false)}
        >
          Newest release
        </button>
        <button
          type="button"
          className="button button-bare button-small"
          aria-pressed={all}
          onClick={() => setAll(true)}
        >
          All releases
        </button>
      </figcaption>
    </figure>
  );
}

function Plot({ times, weights }: { times: number[]; weights: number[] }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data = useRef<uPlot.AlignedData>([times, weights]);
  const [theme, setTheme] = useState(dark.matches);
  useEffect(() => {
    const changed = (): void => setTheme(dark.matches);
    dark.addEventListener("change", changed);
    return () => dark.removeEventListener("change", changed);
  }, []);
  useEffect(() => {
    data.current = [times, weights];
    plot.current?.setData(data.current);
  }, [times, weights]);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const made = new uPlot(optionsFor(element), data.current, element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.current = undefined;
      made.destroy();
    };
  }, [theme]);
  const last = weights.at(-1) ?? 0;
  return (
    <div className="chart-plot" ref={box} style={{ height }} role="img" aria-label={`Share over time; now ${last} %`} />
  );
}

function optionsFor(element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--ink-3"),
    font: `12px ${style.fontFamily}`,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height,
    padding: [14, 34, 0, 4],
    legend: { show: false },
    cursor: { show: false },
    select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      y: { range: [0, 100] },
      // A release of two seconds is not drawn as wide as one of twenty.
      x: { range: (_plot, from, to) => [from, Math.max(to, from + shortest)] },
    },
    axes: [
      {
        ...axis,
        size: 30,
        space: 90,
        incrs: steps,
        grid: { show: false },
        values: (_plot, ticks) => ticks.map(timeLabel),
      },
      {
        ...axis,
        size: 52,
        splits: () => [0, 25, 50, 75, 100],
        values: (_plot, ticks) => ticks.map((tick) => `${tick} %`),
      },
    ],
    series: [
      {},
      {
        stroke: colour("--canary"),
        width: 2,
        fill: `color-mix(in srgb, ${colour("--canary")} 20%, transparent)`,
        points: { show: false },
      },
    ],
  };
}

function timeLabel(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  });
}
