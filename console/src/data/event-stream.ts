/** Reads `text/event-stream` from chunks of text. Pure but for what it remembers of an unfinished event. */

export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

/** Events in chunks, not one callback an event: a log of 50,000 lines comes as some hundred chunks. */
export class EventStreamReader {
  #rest = "";

  read(chunk: string): StreamEvent[] {
    const blocks = `${this.#rest}${chunk}`.split(/\r?\n\r?\n/);
    this.#rest = blocks.pop() ?? "";
    return blocks.flatMap((block) => eventOf(block) ?? []);
  }
}

function eventOf(block: string): StreamEvent | undefined {
  let name = "message";
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith("event:")) name = line.slice(6).trimStart();
    else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
  }
  // A block without data is a comment that keeps the connection alive.
  return data.length === 0 ? undefined : { name, data: data.join("\n") };
}
