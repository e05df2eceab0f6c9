/**
 * The samples of one series, by time, in typed arrays (17 bytes a sample), appended at the end, dropped at the front.
 * That a series ended is a flag beside the value and not Prometheus' special NaN, whose bits JavaScript may change.
 */
export class SampleSeries {
  #times = new Float64Array(32);
  #values = new Float64Array(32);
  #ended = new Uint8Array(32);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  get lastTimeMs(): number {
    return this.#end === this.#start ? Number.NEGATIVE_INFINITY : (this.#times[this.#end - 1] ?? 0);
  }

  timeAt(index: number): number {
    return this.#times[this.#start + index] ?? Number.NaN;
  }

  valueAt(index: number): number {
    return this.#values[this.#start + index] ?? Number.NaN;
  }

  /** True for the marker after which the series has no value until its next sample. */
  isEnd(index: number): boolean {
    return this.#ended[this.#start + index] === 1;
  }

  /** Samples out of order are refused: false. */
  append(timeMs: number, value: number, ended = false): boolean {
    if (timeMs <= this.lastTimeMs) return false;
    if (this.#end === this.#times.length) this.#makeRoom();
    this.#times[this.#end] = timeMs;
    this.#values[this.#end] = value;
    this.#ended[this.#end] = ended ? 1 : 0;
    this.#end += 1;
    return true;
  }

  /** Forgets samples before `timeMs`. */
  dropBefore(timeMs: number): void {
    this.#start = this.#start + this.indexAfter(timeMs - 1);
  }

  /** Index of the first sample later than `timeMs`; `length` when there is none. */
  indexAfter(timeMs: number): number {
    let low = this.#start;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#times[middle] ?? 0) <= timeMs) low = middle + 1;
      else high = middle;
    }
    return low - this.#start;
  }

  #makeRoom(): void {
    const length = this.length;
    const capacity = length * 2 > this.#times.length ? this.#times.length * 2 : this.#times.length;
    const times = new Float64Array(capacity);
    const values = new Float64Array(capacity);
    const ended = new Uint8Array(capacity);
    times.set(this.#times.subarray(this.#start, this.#end));
    values.set(this.#values.subarray(this.#start, this.#end));
    ended.set(this.#ended.subarray(this.#start, this.#end));
    this.#times = times;
    this.#ended = ended;
    this.#values = values;
    this.#start = 0;
    this.#end = length;
  }
}
