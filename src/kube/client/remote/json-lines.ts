/** A stream of JSON values, one a line, each bounded. */

const maxLineBytes = 16 * 1024 * 1024;

export async function* jsonLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, void, undefined> {
  const decoder = new TextDecoder();
  let pending = "";
  for await (const chunk of source) {
    pending += decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = pending.indexOf("\n"); end >= 0; end = pending.indexOf("\n", from)) {
      const line = pending.slice(from, end).trim();
      from = end + 1;
      if (line !== "") yield JSON.parse(line) as unknown;
    }
    pending = pending.slice(from);
    if (pending.length > maxLineBytes) throw new Error(`A line of a watch is over ${maxLineBytes} bytes`);
  }
  if (pending.trim() !== "") yield JSON.parse(pending) as unknown;
}
