/** The `kustomization.yaml` format: what of it is read, and what is refused with a reason. */
import { anything, fieldsOf, flag, integer, listOf, mapOf, text, unsupported } from "./shape.ts";

export const kustomizationFileNames = ["kustomization.yaml", "kustomization.yml", "Kustomization"] as const;

export interface Selector {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly annotationSelector?: string;
}

export interface Patch {
  readonly path?: string;
  readonly patch?: string;
  readonly target?: Selector;
  readonly options?: { readonly allowNameChange?: boolean; readonly allowKindChange?: boolean };
}

export interface ImageChange {
  readonly name: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly digest?: string;
}

export interface LabelChange {
  readonly pairs?: Readonly<Record<string, string>>;
  readonly includeSelectors?: boolean;
  readonly includeTemplates?: boolean;
  readonly includeVolumeClaimTemplates?: boolean;
}

export interface GeneratorOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly disableNameSuffixHash?: boolean;
  readonly immutable?: boolean;
}

export interface Generator {
  readonly name: string;
  readonly namespace?: string;
  readonly behavior?: string;
  readonly literals?: readonly string[];
  readonly files?: readonly string[];
  readonly envs?: readonly string[];
  readonly env?: string;
  readonly options?: GeneratorOptions;
  /** Secrets only. */
  readonly type?: string;
}

export interface SortOptions {
  readonly order?: string;
  readonly legacySortOptions?: { readonly orderFirst?: readonly string[]; readonly orderLast?: readonly string[] };
}

export interface Kustomization {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly resources?: readonly string[];
  readonly bases?: readonly string[];
  readonly components?: readonly string[];
  readonly namespace?: string;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly labels?: readonly LabelChange[];
  readonly commonLabels?: Readonly<Record<string, string>>;
  readonly commonAnnotations?: Readonly<Record<string, string>>;
  readonly images?: readonly ImageChange[];
  readonly imageTags?: readonly ImageChange[];
  readonly replicas?: readonly { readonly name: string; readonly count: number }[];
  readonly patches?: readonly Patch[];
  readonly patchesStrategicMerge?: readonly string[];
  readonly patchesJson6902?: readonly Patch[];
  readonly configMapGenerator?: readonly Generator[];
  readonly secretGenerator?: readonly Generator[];
  readonly generatorOptions?: GeneratorOptions;
  readonly sortOptions?: SortOptions;
}

const selectorFields = {
  group: text,
  version: text,
  kind: text,
  name: text,
  namespace: text,
  labelSelector: text,
  annotationSelector: text,
};

const patch = fieldsOf({
  path: text,
  patch: text,
  target: fieldsOf(selectorFields),
  options: fieldsOf({ allowNameChange: flag, allowKindChange: flag }),
});

const image = fieldsOf(
  {
    name: text,
    newName: text,
    newTag: text,
    digest: text,
    tagSuffix: unsupported("write the whole tag in newTag"),
  },
  "name",
);

const generatorOptions = fieldsOf({
  labels: mapOf(text),
  annotations: mapOf(text),
  disableNameSuffixHash: flag,
  immutable: flag,
});

const generatorFields = {
  name: text,
  namespace: text,
  behavior: text,
  literals: listOf(text),
  files: listOf(text),
  envs: listOf(text),
  env: text,
  options: generatorOptions,
};

const label = fieldsOf({
  pairs: mapOf(text),
  includeSelectors: flag,
  includeTemplates: flag,
  includeVolumeClaimTemplates: flag,
  fields: unsupported("use includeSelectors or includeTemplates, or a patch"),
});

const plugin = "this renderer runs no plugins; commit what the plugin makes, or use patches";

export const kustomizationShape = fieldsOf({
  apiVersion: text,
  kind: text,
  metadata: anything,
  resources: listOf(text),
  bases: listOf(text),
  components: listOf(text),
  namespace: text,
  namePrefix: text,
  nameSuffix: text,
  labels: listOf(label),
  commonLabels: mapOf(text),
  commonAnnotations: mapOf(text),
  images: listOf(image),
  imageTags: listOf(image),
  replicas: listOf(fieldsOf({ name: text, count: integer }, "name", "count")),
  patches: listOf(patch),
  patchesStrategicMerge: listOf(text),
  patchesJson6902: listOf(patch),
  configMapGenerator: listOf(fieldsOf(generatorFields, "name")),
  secretGenerator: listOf(fieldsOf({ ...generatorFields, type: text }, "name")),
  generatorOptions,
  sortOptions: fieldsOf({
    order: text,
    legacySortOptions: fieldsOf({ orderFirst: listOf(text), orderLast: listOf(text) }),
  }),
  replacements: unsupported("use a patch, or a generator with a fixed name"),
  vars: unsupported("Kustomize deprecates it; use a patch"),
  configurations: unsupported("Argo's rollout configuration is built in; use patches for other kinds"),
  crds: unsupported("use patches for fields of custom resources"),
  openapi: unsupported("lists of custom resources are replaced by patches; use a JSON patch for one item"),
  helmCharts: unsupported("render the chart and commit the result"),
  helmGlobals: unsupported("render the chart and commit the result"),
  helmChartInflationGenerator: unsupported("render the chart and commit the result"),
  generators: unsupported(plugin),
  transformers: unsupported(plugin),
  validators: unsupported(plugin),
  buildMetadata: unsupported("remove it: the timeline records where an object came from"),
});
