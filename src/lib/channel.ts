/** Thrown to a reader that fell more than `limit` values behind: it must read the state again from its source. */
export class ChannelOverflowError extends Error {
  override readonly name = "ChannelOverflowError";
}

/**
 * Sends values to any number of readers. Each reader has its own bounded queue, so that a slow one neither holds the
 * others back nor grows without limit: it is ended with `ChannelOverflowError` instead.
 */
export class Channel<T> {
  readonly #readers = new Set<Reader<T>>();
  readonly #limit: number;
  #closed = false;

  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  get readers(): number {
    return this.#readers.size;
  }

  send(value: T): void {
    for (const reader of this.#readers) reader.push(value);
  }

  /** Ends every reader normally. */
  close(): void {
    this.#closed = true;
    for (const reader of this.#readers) reader.end();
  }

  /**
   * Values sent from this call on (not from the first `next`), until the channel closes or the signal aborts; both end
   * the iteration normally.
   */
  subscribe(signal: AbortSignal): AsyncIterableIterator<T> & Disposable {
    const reader = new Reader<T>(this.#limit, () => this.#readers.delete(reader));
    if (this.#closed || signal.aborted) reader.end();
    else {
      this.#readers.add(reader);
      const abort = (): void => reader.end();
      signal.addEventListener("abort", abort, { once: true });
      reader.onEnd = () => signal.removeEventListener("abort", abort);
    }
    return reader;
  }
}

class Reader<T> implements AsyncIterableIterator<T>, Disposable {
  #queue: T[] = [];
  #resume: (() => void) | undefined;
  #ended = false;
  #overflowed = false;
  readonly #limit: number;
  readonly #leave: () => void;
  onEnd: (() => void) | undefined;

  constructor(limit: number, leave: () => void) {
    this.#limit = limit;
    this.#leave = leave;
  }

  push(value: T): void {
    if (this.#ended) return;
    if (this.#queue.length >= this.#limit) {
      this.#overflowed = true;
      this.#queue = [];
      this.end();
      return;
    }
    this.#queue.push(value);
    this.#resume?.();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#leave();
    this.onEnd?.();
    this.#resume?.();
  }

  async next(): Promise<IteratorResult<T>> {
    for (;;) {
      if (this.#overflowed) throw new ChannelOverflowError("Reader fell too far behind: read the state again");
      if (this.#queue.length > 0) return { done: false, value: this.#queue.shift() as T };
      if (this.#ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
      this.#resume = undefined;
    }
  }

  return(): Promise<IteratorResult<T>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.dispose](): void {
    this.end();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
