/** Lays what an applier asks for over what is there. Pure; the result shares parts with both. */
import { isObject } from "#lib";
import { mergeOrder } from "./list-order.ts";
import { isGranularObject, itemShape, itemsOf, type Items, listed } from "./items.ts";
import { fieldShape, type Shape } from "./shape.ts";

export function mergeConfiguration(live: unknown, asked: unknown, shape: Shape): unknown {
  if (isGranularObject(asked, shape)) return isObject(live) ? mergeObjects(live, asked, shape) : asked;
  if (!Array.isArray(asked) || !Array.isArray(live)) return asked;
  const liveItems = itemsOf(live, shape);
  const askedItems = itemsOf(asked, shape);
  return liveItems === undefined || askedItems === undefined ? asked : mergeLists(liveItems, askedItems, shape);
}

function mergeObjects(
  live: Readonly<Record<string, unknown>>,
  asked: Readonly<Record<string, unknown>>,
  shape: Shape,
): Record<string, unknown> {
  const result: Record<string, unknown> = { ...live };
  for (const [name, value] of Object.entries(asked)) {
    result[name] = live[name] === undefined ? value : mergeConfiguration(live[name], value, fieldShape(shape, name));
  }
  return result;
}

function mergeLists(live: Items, asked: Items, shape: Shape): unknown[] {
  const inner = itemShape(shape);
  const merged = new Map(live);
  for (const [step, item] of asked) {
    merged.set(step, live.has(step) ? mergeConfiguration(live.get(step), item, inner) : item);
  }
  const order = mergeOrder([...live.keys()], [...asked.keys()]);
  return order.flatMap((step) => listed(merged.get(step)));
}
