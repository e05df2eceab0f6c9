/**
 * Keeps the images of Applications up to date, as Argo CD Image Updater does, but at the moment of the push instead of
 * every two minutes. What is committed is decided inside the commit, against the branch as it is then: so a crash or a
 * repetition commits nothing twice.
 */
import { join, posix } from "node:path";
import { type Application, applications } from "#api";
import { type Clock, formatProblems, type Ids, type Log, type Problem } from "#lib";
import type { Cluster } from "#kube";
import {
  type Controller,
  createController,
  type Informers,
  type Outcome,
  recordEvent,
  type Request,
  settled,
} from "#controller";
import { chooseImage, kustomizeImageOf } from "./choose-image.ts";
import { PromotionError } from "./errors.ts";
import { type ImageUpdates, readImageUpdates, type TrackedImage } from "./image-list.ts";
import type {
  EnvironmentEdit,
  EnvironmentRepositoryPort,
  ImageTagsPort,
  KustomizationEditorPort,
  TaggedImage,
} from "./ports.ts";

export interface ImageUpdaterOptions {
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly tags: ImageTagsPort;
  readonly environments: EnvironmentRepositoryPort;
  readonly kustomizations: KustomizationEditorPort;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

export interface ImageUpdater {
  /** Looks again at every Application that follows `image` (`host/repository`, or `repository` on our own registry). */
  notifyImage(matches: (image: string) => boolean): void;
  run(signal: AbortSignal): Promise<void>;
}

interface Choice {
  readonly tracked: TrackedImage;
  readonly chosen: TaggedImage;
}

export function createImageUpdater(options: ImageUpdaterOptions): ImageUpdater {
  const controller: Controller = createController({
    ...options,
    name: "image-updater",
    primary: applications,
    concurrency: 2,
    reconcile: (request, signal) => reconcile(options, request, signal),
  });
  return {
    run: (signal) => controller.run(signal),
    notifyImage(matches) {
      for (const application of options.informers.for(applications).list()) {
        const updates = readImageUpdates(application.metadata.annotations ?? {})?.updates;
        if (updates?.images.some((tracked) => matches(tracked.image)) !== true) continue;
        controller.enqueue({ namespace: application.metadata.namespace ?? "", name: application.metadata.name });
      }
    },
  };
}

async function reconcile(options: ImageUpdaterOptions, request: Request, signal: AbortSignal): Promise<Outcome> {
  const application = options.informers.for(applications).get(request.namespace, request.name);
  if (application === undefined || application.metadata.deletionTimestamp !== undefined) return settled;
  const read = readImageUpdates(application.metadata.annotations ?? {});
  if (read === undefined) return settled;
  if (read.updates === undefined) return await stall(options, application, formatProblems(read.problems), signal);
  const choices = await chooseAll(options, read.updates, signal);
  if (choices.length === 0) return settled;
  try {
    // One commit an image: each then says what brought it, and an image that did not change is not in it.
    for (const choice of choices) await commitChoice(options, application, read.updates, choice, signal);
    return settled;
  } catch (error) {
    if (!(error instanceof PromotionError)) throw error;
    return await stall(options, application, error.message, signal);
  }
}

async function chooseAll(options: ImageUpdaterOptions, updates: ImageUpdates, signal: AbortSignal): Promise<Choice[]> {
  const choices: Choice[] = [];
  for (const tracked of updates.images) {
    const tags = await options.tags.tags(tracked.image, signal);
    const chosen = tags === undefined ? undefined : chooseImage(tracked, tags);
    if (chosen !== undefined) choices.push({ tracked, chosen });
  }
  return choices;
}

async function commitChoice(
  options: ImageUpdaterOptions,
  application: Application,
  updates: ImageUpdates,
  choice: Choice,
  signal: AbortSignal,
): Promise<void> {
  const source = application.spec.source;
  if (source === undefined) return;
  const branch = updates.branch ?? source.targetRevision ?? "main";
  const folder = updates.kustomization.startsWith("/")
    ? updates.kustomization.slice(1)
    : posix.join(source.path ?? ".", updates.kustomization);
  const commit = await options.environments.commit(
    {
      repoURL: source.repoURL,
      branch: branch === "HEAD" ? "main" : branch,
      message: `Update ${application.metadata.name}: ${describe(choice)}`,
      trailers: trailersOf(choice),
      edit: (files) => editKustomization(options.kustomizations, files, folder, choice),
    },
    signal,
  );
  if (commit === undefined) return;
  const message = `Committed ${commit.sha.slice(0, 7)} to ${branch}: ${describe(choice)}`;
  const text = { type: "Normal", reason: "ImageUpdated", message } as const;
  await recordEvent({ ...options, component: "image-updater" }, applications, application, text, signal);
}

const kustomizationNames = ["kustomization.yaml", "kustomization.yml", "Kustomization"] as const;

async function editKustomization(
  editor: KustomizationEditorPort,
  files: EnvironmentEdit,
  folder: string,
  { tracked, chosen }: Choice,
): Promise<void> {
  for (const name of kustomizationNames) {
    const path = join(folder, name);
    const before = await files.read(path);
    if (before === undefined) continue;
    const { text, problems } = editor.setImage(before, kustomizeImageOf(tracked, chosen));
    if (text === undefined) throw unreadable(path, problems);
    if (text !== before) files.write(path, text);
    return;
  }
  const message = `Cannot update images: there is no kustomization.yaml in "${folder}"; point write-back-target at its folder`;
  throw new PromotionError("promotion/no-kustomization", message);
}

function unreadable(path: string, problems: readonly Problem[]): PromotionError {
  const message = `Cannot update images in "${path}": ${formatProblems(problems)}`;
  return new PromotionError("promotion/unreadable-kustomization", message);
}

function describe({ tracked, chosen }: Choice): string {
  return `${tracked.alias} to ${chosen.tag}`;
}

/** What ties the commit to the image, and the image to the commit it was built from. */
function trailersOf({ tracked, chosen }: Choice): Record<string, string> {
  const revision = chosen.labels["org.opencontainers.image.revision"];
  return {
    "Tidegate-Image": `${tracked.image}@${chosen.digest}`,
    ...(revision === undefined ? {} : { "Tidegate-Revision": revision }),
  };
}

async function stall(
  options: ImageUpdaterOptions,
  application: Application,
  message: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const text = { type: "Warning", reason: "ImageUpdateFailed", message } as const;
  await recordEvent({ ...options, component: "image-updater" }, applications, application, text, signal);
  return { kind: "stalled", reason: "ImageUpdateFailed", message };
}
