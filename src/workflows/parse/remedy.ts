/** The package says what is wrong; this adds what to do, where the message alone leaves one guessing. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [/^Unexpected value '/, "Correct its spelling or its indentation, or remove it"],
  [/^Required property is missing: /, "Add it"],
  [/ is already defined$/, "Keep one of the two"],
  [/^A mapping was not expected$/, "Write a single value or a list here"],
  [/^A sequence was not expected$/, "Write a single value or a mapping here"],
  [/^A template expression is not allowed in this context$/, "Write the value itself, without ${{ }}"],
  [
    /^Unrecognized named-value: '(github|env|vars|secrets|needs|matrix|strategy|inputs|steps|job|jobs|runner)'/i,
    "It is a context that this key cannot read",
  ],
  [/^Unrecognized named-value: /, "Use a context that there is, e.g. github, vars or env; texts take single quotes"],
  [/^Unrecognized function: /, "Use a function that this key may call, e.g. contains, format or fromJSON"],
  [/^Unexpected (symbol|end of expression): /i, "Strings take single quotes; operators are && || ! == != < <= > >="],
  [/^The expression is not closed/, "Add the closing }}"],
];

export function withRemedy(message: string): string {
  const found = remedies.find(([pattern]) => pattern.test(message));
  return found === undefined ? message : `${message.replace(/\.$/, "")}. ${found[1]}`;
}
