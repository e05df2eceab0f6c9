/** What an action is given: the values of its step over the action's own, as the Actions runner merges them. Pure. */

export interface KnownInput {
  readonly name: string;
  /** What is to be said to whoever still uses it. */
  readonly deprecation?: string | undefined;
}

export interface MergedInputs {
  readonly inputs: Readonly<Record<string, string>>;
  /** Names of those that the step says something about, as the action writes them. */
  readonly given: ReadonlySet<string>;
  readonly warnings: readonly string[];
}

/**
 * A value that is given counts even when it is empty: only an input that the step does not name takes its default. Names
 * differ in case without meaning it. What the action does not know is warned about, and handed to it all the same.
 *
 * @param defaultOf called for what is not given alone, since defaults may read contexts
 */
export function mergeInputs<Known extends KnownInput>(
  known: readonly Known[],
  given: Readonly<Record<string, string>>,
  defaultOf: (input: Known) => string,
  /** Inputs that actions of this kind take without naming them. */
  silent: readonly string[] = [],
): MergedInputs {
  const values = new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), { name, value }]));
  const inputs: Record<string, string> = {};
  const names = new Set<string>();
  const deprecated: string[] = [];
  for (const input of known) {
    const found = values.get(input.name.toLowerCase());
    values.delete(input.name.toLowerCase());
    inputs[input.name] = found === undefined ? defaultOf(input) : found.value;
    if (found === undefined) continue;
    names.add(input.name);
    if (input.deprecation === undefined) continue;
    deprecated.push(`Input '${found.name}' has been deprecated with message: ${input.deprecation}`);
  }
  for (const { name, value } of values.values()) inputs[name] = value;
  const unexpected = [...values.values()].filter(({ name }) => !isNamed(silent, name)).map(({ name }) => name);
  return { inputs, given: names, warnings: [...deprecated, ...aboutUnexpected(unexpected, known, silent)] };
}

function isNamed(names: readonly string[], name: string): boolean {
  return names.some((one) => one.toLowerCase() === name.toLowerCase());
}

function aboutUnexpected(
  unexpected: readonly string[],
  known: readonly KnownInput[],
  silent: readonly string[],
): readonly string[] {
  if (unexpected.length === 0) return [];
  const valid = [...silent, ...known.map(({ name }) => name)];
  return [`Unexpected input(s) '${unexpected.join("', '")}', valid inputs are ['${valid.join("', '")}']`];
}
