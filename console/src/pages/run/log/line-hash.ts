/** The address of a line: `#step-3-line-120`, both counted from 1 as the page shows them. Pure. */
import type { LogMatch } from "./log-search.ts";

export function lineHash({ step, index }: LogMatch): string {
  return `#step-${step}-line-${index + 1}`;
}

export function parseLineHash(hash: string): LogMatch | undefined {
  const match = /^#step-(\d{1,6})-line-([1-9]\d{0,8})$/.exec(hash);
  return match === null ? undefined : { step: Number(match[1]), index: Number(match[2]) - 1 };
}
