/** Edits `kustomization.yaml` as a careful person would: only what changes, comments and formatting stay. */
import { isMap, isSeq, parseDocument, YAMLMap, YAMLSeq } from "yaml";
import { KustomizeError } from "./errors.ts";
import type { ImageChange } from "./kustomization.ts";

/**
 * The text with `images` saying what `change` says, as `kustomize edit set image` would. A tag drops a former digest and
 * a digest a former tag, unless both are given. Returns the same text when nothing changes.
 */
export function setKustomizeImage(text: string, change: ImageChange): string {
  const document = parseDocument(text, { prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) throw new KustomizeError(`Cannot edit the kustomization: ${error.message}`);
  if (document.contents !== null && !isMap(document.contents)) {
    throw new KustomizeError("Cannot edit the kustomization: it is not a mapping");
  }
  const found = document.get("images");
  if (found !== undefined && found !== null && !isSeq(found))
    throw new KustomizeError('Cannot edit the kustomization: "images" is not a list');
  const images = isSeq(found) ? found : new YAMLSeq();
  if (!isSeq(found)) document.set("images", images);
  if (!setEntry(images, change)) return text;
  const indentSeq = !/^images:[^\n]*\n- /m.test(text) && !/^(?:resources|bases):[^\n]*\n- /m.test(text);
  return document.toString({ lineWidth: 0, indentSeq, flowCollectionPadding: !/[[{]\S/.test(text) });
}

/** True when the list changed. */
function setEntry(images: YAMLSeq, change: ImageChange): boolean {
  const existing = images.items.find((item) => isMap(item) && item.get("name") === change.name);
  const entry = isMap(existing) ? existing : new YAMLMap();
  const before = JSON.stringify(entry.toJSON());
  const pinned = change.newTag !== undefined || change.digest !== undefined;
  setField(entry, "name", change.name);
  if (change.newName !== undefined)
    setField(entry, "newName", change.newName === change.name ? undefined : change.newName);
  if (pinned) {
    setField(entry, "newTag", change.newTag);
    setField(entry, "digest", change.digest);
  }
  if (existing === undefined) images.add(entry);
  return existing === undefined || JSON.stringify(entry.toJSON()) !== before;
}

function setField(entry: YAMLMap, field: string, value: string | undefined): void {
  if (value === undefined) entry.delete(field);
  else if (entry.get(field) !== value) entry.set(field, value);
}
