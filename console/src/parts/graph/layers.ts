/** Places boxes in columns, causes to the left of effects. Pure; the drawing is elsewhere. */

export interface Linked {
  readonly id: string;
  /** Ids of the boxes that come before it; unknown ones are left out. */
  readonly after: readonly string[];
}

export interface Placed {
  readonly id: string;
  readonly column: number;
  /** May be a half: a parent stands in the middle of its children. */
  readonly row: number;
}

/** Columns by the longest way from a start. A ring of boxes (a broken file) is cut where it was entered. */
export function placeInLayers(boxes: readonly Linked[]): Placed[] {
  const byId = new Map(boxes.map((box) => [box.id, box]));
  const columns = new Map<string, number>();
  const entered = new Set<string>();
  function columnOf(id: string): number {
    const known = columns.get(id);
    if (known !== undefined) return known;
    const box = byId.get(id);
    if (box === undefined || entered.has(id)) return -1;
    entered.add(id);
    const column = Math.max(-1, ...box.after.map(columnOf)) + 1;
    columns.set(id, column);
    return column;
  }
  const filled: number[] = [];
  return boxes.map(({ id }) => {
    const column = columnOf(id);
    const row = filled[column] ?? 0;
    filled[column] = row + 1;
    return { id, column, row };
  });
}

/** A forest: leaves one under the other, each parent beside the middle of its children. */
export function placeAsTree(boxes: readonly Linked[]): Placed[] {
  const ids = new Set(boxes.map(({ id }) => id));
  const children = new Map<string, string[]>();
  const roots: string[] = [];
  for (const { id, after } of boxes) {
    const parent = after.find((candidate) => candidate !== id && ids.has(candidate));
    if (parent === undefined) roots.push(id);
    else children.set(parent, [...(children.get(parent) ?? []), id]);
  }
  const placed = new Map<string, Placed>();
  let nextRow = 0;
  function place(id: string, column: number): number {
    const rows = (children.get(id) ?? []).map((child) => place(child, column + 1));
    const first = rows[0];
    const row = first === undefined ? nextRow++ : (first + (rows.at(-1) ?? first)) / 2;
    placed.set(id, { id, column, row });
    return row;
  }
  for (const root of roots) place(root, 0);
  return boxes.flatMap(({ id }) => placed.get(id) ?? []);
}
