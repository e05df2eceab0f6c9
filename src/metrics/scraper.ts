/** Reads every target at a fixed interval into the store. A target that does not answer is `up 0` and its series end. */
import { type Clock, errorMessage, type Log, withDeadline } from "#lib";
import { parseExposition } from "./exposition/parse.ts";
import { type Labels, labelsKey } from "./labels.ts";
import type { ScrapeTarget, ScrapeTargetsPort } from "./ports.ts";
import type { Batch } from "./store/series-store.ts";

export interface ScraperOptions {
  readonly targets: ScrapeTargetsPort;
  readonly append: (batch: Batch) => void;
  /** Called when every target has been read once more. */
  readonly onRound: () => void;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Series of the last scrape of each target, to end those that do not come again. */
type Present = Map<string, ReadonlyMap<string, Labels>>;

export async function runScraper(options: ScraperOptions, signal: AbortSignal): Promise<void> {
  const present: Present = new Map();
  while (!signal.aborted) {
    const startedMs = options.clock.monotonicMs();
    const targets = options.targets.targets();
    await Promise.all(targets.map((target) => scrape(options, target, present, signal)));
    endVanished(options, targets, present);
    options.onRound();
    const spentMs = options.clock.monotonicMs() - startedMs;
    await options.clock.sleep(Math.max(0, options.intervalMs - spentMs), signal).catch(() => {});
  }
}

async function scrape(
  options: ScraperOptions,
  target: ScrapeTarget,
  present: Present,
  signal: AbortSignal,
): Promise<void> {
  const startedMs = options.clock.monotonicMs();
  let samples: { labels: Labels; value: number }[] = [];
  let up = 0;
  try {
    const text = await target.read(withDeadline(signal, Math.max(options.intervalMs, 1000)));
    samples = parseExposition(text).samples.map(({ labels, value }) => ({
      labels: withTarget(labels, target.labels),
      value,
    }));
    up = 1;
  } catch (error) {
    if (signal.aborted) return;
    options.log.debug("Target did not answer", { target: target.key, error: errorMessage(error) });
  }
  const own = (name: string): Labels => ({ ...target.labels, __name__: name });
  const seconds = (options.clock.monotonicMs() - startedMs) / 1000;
  samples.push({ labels: own("up"), value: up }, { labels: own("scrape_duration_seconds"), value: seconds });
  const now = new Map(samples.map(({ labels }) => [labelsKey(labels), labels]));
  const before = present.get(target.key) ?? new Map<string, Labels>();
  const ended = [...before].filter(([key]) => !now.has(key)).map(([, labels]) => labels);
  present.set(target.key, now);
  options.append({ timeMs: options.clock.now().epochMilliseconds, samples, ended });
}

function endVanished(options: ScraperOptions, targets: readonly ScrapeTarget[], present: Present): void {
  const keys = new Set(targets.map((target) => target.key));
  for (const [key, series] of present) {
    if (keys.has(key)) continue;
    present.delete(key);
    options.append({ timeMs: options.clock.now().epochMilliseconds, samples: [], ended: [...series.values()] });
  }
}

function withTarget(labels: Labels, target: Labels): Labels {
  const result: Record<string, string> = { ...labels };
  for (const [name, value] of Object.entries(target)) {
    if (labels[name] !== undefined && labels[name] !== value) result[`exported_${name}`] = labels[name];
    result[name] = value;
  }
  return result;
}
