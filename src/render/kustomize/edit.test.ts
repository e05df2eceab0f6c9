import assert from "node:assert/strict";
import { test } from "node:test";
import { setKustomizeImage } from "./edit.ts";

const cases: readonly { name: string; text: string; change: Parameters<typeof setKustomizeImage>[1]; want: string }[] =
  [
    {
      name: "a new tag changes one line and keeps comments, quotes and indentation",
      text: "# ours\nresources:\n  - ../base # shared\nimages:\n  # the shop\n  - name: shop/web\n    newTag: v1 # promoted\n  - name: other\n    newTag: 'x'\n",
      change: { name: "shop/web", newTag: "v2" },
      want: "# ours\nresources:\n  - ../base # shared\nimages:\n  # the shop\n  - name: shop/web\n    newTag: v2 # promoted\n  - name: other\n    newTag: 'x'\n",
    },
    {
      name: "lists that are not indented stay so",
      text: "resources:\n- ../base\nimages:\n- name: a\n  newTag: '1'\n",
      change: { name: "a", newTag: "2" },
      want: "resources:\n- ../base\nimages:\n- name: a\n  newTag: '2'\n",
    },
    {
      name: "a digest takes the place of a tag",
      text: "images:\n  - name: a\n    newName: r/a\n    newTag: v1\n",
      change: { name: "a", digest: "sha256:abc" },
      want: "images:\n  - name: a\n    newName: r/a\n    digest: sha256:abc\n",
    },
    {
      name: "a list that is not there is added",
      text: "resources: [../base]\n",
      change: { name: "a", newName: "r/a", newTag: "1.0" },
      want: 'resources: [../base]\nimages:\n  - name: a\n    newName: r/a\n    newTag: "1.0"\n',
    },
    {
      name: "nothing to change gives the very same text",
      text: "images:   [ {name: a,  newTag: v1} ]\n",
      change: { name: "a", newTag: "v1" },
      want: "images:   [ {name: a,  newTag: v1} ]\n",
    },
  ];

for (const { name, text, change, want } of cases) {
  test(name, () => {
    assert.equal(setKustomizeImage(text, change), want);
  });
}
