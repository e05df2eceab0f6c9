/** One case of a suite that others wrote, and what became of it. */
export interface Case {
  readonly name: string;
  /** A group the tally is split by, e.g. what the suite's own implementation leaves out. */
  readonly group: string;
  /** What is not as expected; undefined for a case that passes. */
  readonly failure?: string;
  /** Why it is not judged. */
  readonly skipped?: string;
}

/** Prints the tally and returns how many failed. */
export async function tally(name: string, cases: AsyncIterable<Case> | Iterable<Case>, tell: boolean): Promise<number> {
  const groups = new Map<string, { total: number; passed: number; skipped: number }>();
  let failed = 0;
  for await (const one of cases) {
    const group = groups.get(one.group) ?? { total: 0, passed: 0, skipped: 0 };
    groups.set(one.group, group);
    group.total += 1;
    if (one.skipped !== undefined) group.skipped += 1;
    else if (one.failure === undefined) group.passed += 1;
    else failed += 1;
    const told = one.failure ?? one.skipped;
    if (tell && told !== undefined)
      console.log(`  ${one.skipped === undefined ? "FAIL" : "skip"} ${one.name}: ${told}`);
  }
  for (const [group, { total, passed, skipped }] of groups) {
    const left = skipped === 0 ? "" : `, ${skipped} skipped`;
    console.log(`${name}, ${group}: ${passed} of ${total} as expected${left}`);
  }
  return failed;
}

/** Runs `check`, which throws or returns what is wrong. */
export function judged(name: string, group: string, check: () => string | undefined): Case {
  let failure: string | undefined;
  try {
    failure = check();
  } catch (error) {
    failure = `threw ${error instanceof Error ? error.message : String(error)}`;
  }
  return failure === undefined ? { name, group } : { name, group, failure };
}
