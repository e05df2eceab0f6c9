/** An Application's source as options of the renderer. Pure. */
import type { ApplicationSource, KustomizeSource } from "#api";
import { splitImage, type ImageChange, type Kustomization, type RenderOptions } from "#render";

export function renderOptionsOf(source: ApplicationSource): RenderOptions {
  const { recurse, include, exclude } = source.directory ?? {};
  const changes = source.kustomize === undefined ? undefined : kustomizationOf(source.kustomize);
  return {
    path: source.path ?? ".",
    directory: {
      ...(recurse === undefined ? {} : { recurse }),
      ...(include ? { include } : {}),
      ...(exclude ? { exclude } : {}),
    },
    ...(changes === undefined ? {} : { kustomize: { changes, file: "spec.source.kustomize" } }),
  };
}

function kustomizationOf(source: KustomizeSource): Kustomization {
  const { namePrefix, nameSuffix, namespace, commonAnnotations } = source;
  return {
    ...(namePrefix ? { namePrefix } : {}),
    ...(nameSuffix ? { nameSuffix } : {}),
    ...(namespace ? { namespace } : {}),
    ...(commonAnnotations ? { commonAnnotations } : {}),
    ...labelsOf(source),
    images: (source.images ?? []).map(parseImageOverride),
    replicas: (source.replicas ?? []).map(({ name, count }) => ({ name, count: Number(count) })),
    patches: source.patches ?? [],
  };
}

function labelsOf(source: KustomizeSource): Partial<Kustomization> {
  if (source.commonLabels === undefined) return {};
  if (source.labelWithoutSelector !== true) return { commonLabels: source.commonLabels };
  return { labels: [{ pairs: source.commonLabels, includeTemplates: source.labelIncludeTemplates === true }] };
}

/** `shop/web:v2`, `shop/web@sha256:…` or `old=new:v2`. */
export function parseImageOverride(text: string): ImageChange {
  const equals = text.indexOf("=");
  const image = splitImage(text.slice(equals + 1));
  return {
    name: equals < 0 ? image.name : text.slice(0, equals),
    ...(equals < 0 ? {} : { newName: image.name }),
    ...(image.tag === undefined ? {} : { newTag: image.tag }),
    ...(image.digest === undefined ? {} : { digest: image.digest }),
  };
}
