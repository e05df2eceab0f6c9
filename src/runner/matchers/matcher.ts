/**
 * One problem matcher as lines go by; pure but for how far its patterns have come. With several patterns, each line must
 * match the next one; what an earlier one took out stands for all after it. The last may loop: each line that it matches
 * is a problem under the same head.
 */
import { matchedParts, type MatcherConfig, type MatcherPattern } from "./matcher-config.ts";

export type Match = Readonly<Partial<Record<(typeof matchedParts)[number], string>>>;

/** Longer lines are no problem a compiler prints, and each unit of them costs. */
const maxLine = 4096;

export class Matcher {
  readonly config: MatcherConfig;
  /** What the pattern before the one at the same place has come to. */
  #running: (Match | undefined)[] = [];

  constructor(config: MatcherConfig) {
    this.config = config;
  }

  reset(): void {
    this.#running = [];
  }

  /** The problem that this line completes. */
  match(line: string): Match | undefined {
    const { patterns } = this.config;
    const text = line.slice(0, maxLine);
    // Backwards: a line that goes on with one match may begin another.
    for (let at = patterns.length - 1; at >= 0; at--) {
      const pattern = patterns[at];
      const before = at === 0 ? {} : this.#running[at];
      if (pattern === undefined || before === undefined) continue;
      const found = take(pattern, text, before);
      if (at < patterns.length - 1) {
        this.#running[at + 1] = found;
        continue;
      }
      if (found === undefined) {
        this.#running[at] = undefined;
        continue;
      }
      this.reset();
      if (pattern.loop) this.#running[at] = before;
      return { fromPath: this.config.fromPath, ...found };
    }
    return undefined;
  }
}

function take({ pattern, groups }: MatcherPattern, text: string, before: Match): Match | undefined {
  const found = pattern.exec(text);
  if (found === undefined) return undefined;
  const parts = matchedParts.flatMap((part) => {
    const group = groups[part];
    const value = group === undefined ? undefined : found[group];
    return value === undefined || value === "" ? [] : [[part, value] as const];
  });
  // What was said first counts.
  return { ...(Object.fromEntries(parts) as Match), ...before };
}
