/** Reads the output of `git cat-file --batch`. Pure. */

export interface BatchObject {
  readonly sha: string;
  readonly type: string;
  readonly content: Buffer;
}

/** One entry a request, undefined where git says missing or ambiguous. */
export function parseBatch(output: Buffer): readonly (BatchObject | undefined)[] {
  const objects: (BatchObject | undefined)[] = [];
  let offset = 0;
  while (offset < output.length) {
    const newline = output.indexOf(10, offset);
    if (newline === -1) break;
    const header = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(output.toString("utf8", offset, newline));
    if (header === null) {
      objects.push(undefined);
      offset = newline + 1;
      continue;
    }
    const [, sha = "", type = "", size = "0"] = header;
    const start = newline + 1;
    objects.push({ sha, type, content: output.subarray(start, start + Number(size)) });
    offset = start + Number(size) + 1;
  }
  return objects;
}
