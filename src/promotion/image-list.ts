/**
 * The annotations of Argo CD Image Updater on an Application: which images to keep up to date, how, and where to write.
 * Reading is pure and accumulates problems, each with the annotation it is about.
 */
import { linearPattern, type LinearPattern, type Problem } from "#lib";

export const annotationPrefix = "argocd-image-updater.argoproj.io/";

const updateStrategies = ["semver", "newest-build", "digest", "alphabetical"] as const;
type UpdateStrategy = (typeof updateStrategies)[number];

/** Names from before upstream renamed them; still found in files. */
const formerStrategyNames: Readonly<Record<string, UpdateStrategy>> = { latest: "newest-build", name: "alphabetical" };

export interface TrackedImage {
  readonly alias: string;
  /** `host/repository`. */
  readonly image: string;
  /** After the `:` of the list entry: a semver range, or the tag to follow for `digest`. */
  readonly constraint: string | undefined;
  readonly strategy: UpdateStrategy;
  /** Undefined: any tag. */
  readonly allowTags: LinearPattern | undefined;
  /** Globs with `*` and `?`. */
  readonly ignoreTags: readonly LinearPattern[];
  /** Name in the manifests; the image itself when absent. */
  readonly kustomizeName: string;
}

export interface ImageUpdates {
  readonly images: readonly TrackedImage[];
  /** Undefined: the branch the Application follows. */
  readonly branch: string | undefined;
  /** Folder of the kustomization to write, relative to the Application's path or, with a leading slash, to the root. */
  readonly kustomization: string;
}

export type Annotations = Readonly<Record<string, string>>;

/** Undefined when the Application asks for no image updates at all. */
export function readImageUpdates(
  annotations: Annotations,
): { updates?: ImageUpdates; problems: readonly Problem[] } | undefined {
  const list = annotations[`${annotationPrefix}image-list`];
  if (list === undefined || list.trim() === "") return undefined;
  const problems: Problem[] = [];
  const images = list
    .split(",")
    .map((entry) => readEntry(entry.trim(), annotations, problems))
    .filter((image) => image !== undefined);
  const kustomization = readTarget(annotations, problems);
  if (problems.length > 0) return { problems };
  return { updates: { images, branch: readBranch(annotations, problems), kustomization }, problems };
}

function readEntry(entry: string, annotations: Annotations, problems: Problem[]): TrackedImage | undefined {
  const [, alias, reference = entry] = /^([\w.-]+)=(.+)$/.exec(entry) ?? [];
  const colon = reference.lastIndexOf(":");
  const tagged = colon > reference.lastIndexOf("/");
  const image = tagged ? reference.slice(0, colon) : reference;
  if (!/^[\w.:/-]+$/.test(image) || image.endsWith("/")) {
    problems.push(problem("image-list", `"${entry}" is not an image: write alias=host/repository[:constraint]`));
    return undefined;
  }
  const name = alias ?? image;
  const option = (key: string): string | undefined =>
    annotations[`${annotationPrefix}${name}.${key}`] ?? annotations[`${annotationPrefix}${key}`];
  return {
    alias: name,
    image,
    constraint: tagged ? reference.slice(colon + 1) : undefined,
    strategy: readStrategy(option("update-strategy"), name, problems),
    allowTags: readAllowTags(option("allow-tags"), name, problems),
    ignoreTags: (option("ignore-tags") ?? "")
      .split(",")
      .map((glob) => glob.trim())
      .filter(Boolean)
      .map(globPattern),
    kustomizeName: option("kustomize.image-name") ?? image,
  };
}

function readStrategy(text: string | undefined, alias: string, problems: Problem[]): UpdateStrategy {
  if (text === undefined) return "semver";
  const strategy = formerStrategyNames[text] ?? text;
  if ((updateStrategies as readonly string[]).includes(strategy)) return strategy as UpdateStrategy;
  const message = `"${text}" is not an update strategy: use one of ${updateStrategies.join(", ")}`;
  problems.push(problem(`${alias}.update-strategy`, message));
  return "semver";
}

function readAllowTags(text: string | undefined, alias: string, problems: Problem[]): LinearPattern | undefined {
  if (text === undefined || text === "any") return undefined;
  const source = /^regexp:(.+)$/s.exec(text)?.[1];
  try {
    if (source !== undefined && source.length <= 1000) return linearPattern(source);
  } catch {
    // Falls through to the problem below: what is wrong with it is the same for the reader.
  }
  const message = `"${text}" is not a tag filter: use any or regexp:<pattern>`;
  problems.push(problem(`${alias}.allow-tags`, message));
  return undefined;
}

function globPattern(glob: string): LinearPattern {
  const source = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return linearPattern(`^${source}$`);
}

function readTarget(annotations: Annotations, problems: Problem[]): string {
  const method = annotations[`${annotationPrefix}write-back-method`] ?? "git";
  if (method !== "git" && !method.startsWith("git:")) {
    const message = `"${method}" would change the Application and not git, so the next sync would undo it: use git`;
    problems.push(problem("write-back-method", message));
  }
  const target = annotations[`${annotationPrefix}write-back-target`] ?? "kustomization";
  const [kind, folder = "."] = target.split(/:(.*)/s);
  if (kind !== "kustomization") {
    problems.push(problem("write-back-target", `"${target}" is not supported: use kustomization[:folder]`));
  }
  return folder;
}

function readBranch(annotations: Annotations, problems: Problem[]): string | undefined {
  const text = annotations[`${annotationPrefix}git-branch`];
  if (text === undefined || text === "") return undefined;
  const [base = "", write] = text.split(":");
  if (write !== undefined) {
    problems.push(
      problem("git-branch", `"${text}" asks for a branch of its own, which is not supported: name one branch`),
    );
  }
  return base === "" ? undefined : base;
}

function problem(annotation: string, message: string): Problem {
  return { path: `metadata.annotations[${annotationPrefix}${annotation}]`, message };
}
