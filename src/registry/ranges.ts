/** The specification's own ranges of upload chunks ("a-b"). Pure. */

/** `Content-Range` of a chunk: `<start>-<end>` inclusive. Undefined when it is not of that form. */
export function parseChunkRange(header: string): { readonly start: number; readonly end: number } | undefined {
  const [, start, end] = /^(\d{1,15})-(\d{1,15})$/.exec(header.trim()) ?? [];
  if (start === undefined || end === undefined || Number(end) < Number(start)) return undefined;
  return { start: Number(start), end: Number(end) };
}
