import assert from "node:assert/strict";
import { test } from "node:test";
import { formatProblems } from "#lib";
import { memoryTree } from "./memory-tree.ts";
import { renderSource, type RenderOptions } from "./render-source.ts";

const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";

const refused: readonly { name: string; files: Record<string, string>; path?: string; want: RegExp }[] = [
  {
    name: "a missing file is named with line, column and remedy",
    files: { "app/kustomization.yaml": "kind: Kustomization\nresources:\n  - a.yaml\n  - b.yaml\n", "app/a.yaml": pod },
    path: "app",
    want: /^app\/kustomization\.yaml:4:5: resources\[1\]: file "b\.yaml" does not exist in "app": add it to the commit, or remove the entry$/,
  },
  {
    name: "a misspelt field is named where it stands, with what was meant",
    files: { "kustomization.yaml": "resources: []\nnameprefix: x-\n" },
    want: /^kustomization\.yaml:2:1: nameprefix: Unknown field "nameprefix": did you mean "namePrefix"\?$/,
  },
  {
    name: "a field that is not supported is refused, not ignored",
    files: { "kustomization.yaml": "resources: []\nhelmCharts:\n  - name: redis\n" },
    want: /^kustomization\.yaml:3:3: helmCharts: Field is not supported: /,
  },
  {
    name: "kustomizations in a circle are named",
    files: { "a/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../a]\n" },
    path: "a",
    want: /b\/kustomization\.yaml:1:13: resources\[0\]: .*circle: a → b → a$/,
  },
  {
    name: "a path may not leave the repository",
    files: { "a/kustomization.yaml": "resources: [../../etc]\n" },
    path: "a",
    want: /^a\/kustomization\.yaml:1:13: resources\[0\]: path "\.\.\/\.\.\/etc" leaves the repository$/,
  },
  {
    name: "a remote base is not fetched",
    files: { "kustomization.yaml": "resources:\n  - https://github.com/x/y//base?ref=v1\n" },
    want: /^kustomization\.yaml:2:5: resources\[0\]: .*another machine/,
  },
  {
    name: "a patch without an object to patch is an error",
    files: {
      "kustomization.yaml": `resources: [a.yaml]\npatches:\n  - patch: |\n      apiVersion: v1\n      kind: Pod\n      metadata: {name: b}\n`,
      "a.yaml": pod,
    },
    want: /^kustomization\.yaml:3:5: patches\[0\]: No object matches the patch of Pod "b"/,
  },
  {
    name: "a missing generator file is an error at its entry",
    files: { "kustomization.yaml": "configMapGenerator:\n  - name: c\n    files:\n      - gone.txt\n" },
    want: /^kustomization\.yaml:4:9: configMapGenerator\[0\]\.files\[0\]: file "gone\.txt" does not exist/,
  },
  {
    name: "the same object twice names where the first stands",
    files: { "kustomization.yaml": "resources: [a.yaml, b.yaml]\n", "a.yaml": pod, "b.yaml": pod },
    want: /resources\[1\]: Pod "a" comes twice: "a\.yaml:1" has it already/,
  },
  {
    name: "broken YAML names the line",
    files: { "x.yaml": "apiVersion: v1\nkind: [\n" },
    want: /^x\.yaml:3:1: Cannot read as YAML: /,
  },
  {
    name: "an object without a name names the document",
    files: { "x.yaml": `${pod}---\napiVersion: v1\nkind: Pod\nmetadata: {labels: {a: b}}\n` },
    want: /^x\.yaml:7:11: metadata\.name: Pod has no metadata\.name/,
  },
  {
    name: "an alias bomb is refused",
    files: {
      "x.yaml": `a: &a [${"x,".repeat(20)}]\nb: &b [${"*a,".repeat(20)}]\nc: &c [${"*b,".repeat(20)}]\nd: [${"*c,".repeat(20)}]\n`,
    },
    want: /^x\.yaml:1:1: Cannot read as YAML: .*alias/,
  },
  {
    name: "an integer that cannot be held is refused",
    files: { "x.yaml": `${pod}spec: {a: 9007199254740993}\n` },
    want: /^x\.yaml:4:11: Cannot hold the integer 9007199254740993/,
  },
  {
    name: "a Helm chart is refused by name",
    files: { "chart/Chart.yaml": "name: x\n", "chart/templates/a.yaml": pod },
    path: "chart",
    want: /^chart\/Chart\.yaml:1:1: "chart" is a Helm chart/,
  },
  {
    name: "a folder that is not there is not an empty folder",
    files: { "a.yaml": pod },
    path: "nowhere",
    want: /Folder "nowhere" does not exist/,
  },
];

for (const { name, files, path = ".", want } of refused) {
  test(name, async () => {
    const { value, problems } = await renderSource(memoryTree(files), { path });

    assert.match(formatProblems(problems), want);
    assert.equal(value, undefined);
  });
}

async function names(files: Record<string, string>, options: RenderOptions): Promise<string[]> {
  const { value = [], problems } = await renderSource(memoryTree(files), options);
  assert.equal(formatProblems(problems), "");
  return value.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
}

test("a directory gives the objects of its files in path order, lists flattened", async () => {
  const list = "apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: v1, kind: Pod, metadata: {name: c}}\n";
  const files = {
    "b.yml": list,
    "a.json": '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}}',
    "sub/c.yaml": pod,
    "n.txt": "x",
  };

  assert.deepEqual(await names(files, { path: "" }), ["Pod/b", "Pod/c"]);
  assert.deepEqual(await names(files, { path: ".", directory: { recurse: true, exclude: "*.yml" } }), [
    "Pod/b",
    "Pod/a",
  ]);
  assert.deepEqual(await names(files, { path: ".", directory: { recurse: true, include: "sub/**" } }), ["Pod/a"]);
});

test("changes of the Application are one more layer over the kustomization", async () => {
  const files = { "kustomization.yaml": "resources: [a.yaml]\nnamePrefix: base-\n", "a.yaml": pod };
  const changes = { namePrefix: "app-", images: [{ name: "i", newTag: "2" }] };

  assert.deepEqual(await names(files, { path: ".", kustomize: { changes, file: "Application" } }), ["Pod/app-base-a"]);
});

test("references of a Rollout follow generated and prefixed names", async () => {
  const rollout = `apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  strategy: {canary: {canaryService: web, analysis: {templates: [{templateName: ok}]}, steps: [{analysis: {templates: [{templateName: ok}]}}]}}
  template: {spec: {containers: [{name: c, image: i, envFrom: [{configMapRef: {name: conf}}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {a: b}}}
---
{apiVersion: argoproj.io/v1alpha1, kind: AnalysisTemplate, metadata: {name: ok}, spec: {metrics: []}}
`;
  const kustomization =
    "namePrefix: p-\nresources: [r.yaml]\ncommonLabels: {zone: eu}\nconfigMapGenerator: [{name: conf, literals: [a=b]}]\n";

  const { value = [] } = await renderSource(memoryTree({ "kustomization.yaml": kustomization, "r.yaml": rollout }), {
    path: "",
  });

  const found = value.find(({ kind }) => kind === "Rollout");
  const generated = value.find(({ kind }) => kind === "ConfigMap")?.metadata.name;
  assert.deepEqual(found?.["spec"], {
    selector: { matchLabels: { zone: "eu" } },
    strategy: {
      canary: {
        canaryService: "p-web",
        analysis: { templates: [{ templateName: "p-ok" }] },
        steps: [{ analysis: { templates: [{ templateName: "p-ok" }] } }],
      },
    },
    template: {
      metadata: { labels: { zone: "eu" } },
      spec: { containers: [{ name: "c", image: "i", envFrom: [{ configMapRef: { name: generated } }] }] },
    },
  });
});
