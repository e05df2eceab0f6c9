import type { ManifestPush } from "#registry";
import type { WorkflowEvent } from "#workflows";
import { byJob, type DefaultHead } from "./push-event.ts";

/**
 * `registry_package`: an image that was pushed, told to the workflows of the repository it belongs to. `published` for a
 * manifest that is new, `updated` for a tag that was put on one that is there.
 */
export function packageEvent(
  push: ManifestPush,
  repository: string,
  head: DefaultHead,
  isNew: boolean,
): WorkflowEvent | undefined {
  if (head === undefined) return undefined;
  const [owner = "", ...rest] = push.repository.split("/");
  return {
    id: `registry_package:${push.sequence}`,
    name: "registry_package",
    repository,
    ...head,
    actor: push.pusher,
    ...byJob(push.pusher),
    payload: {
      action: isNew ? "published" : "updated",
      registry_package: {
        name: rest.join("/"),
        namespace: owner,
        package_type: "CONTAINER",
        ecosystem: "CONTAINER",
        package_version: {
          version: push.digest,
          name: push.digest,
          created_at: push.pushedAt,
          container_metadata: {
            tag: { name: push.tag ?? "", digest: push.digest },
            manifest: { media_type: push.mediaType },
          },
        },
      },
    },
  };
}

/** `acme/shop/web` and `acme/shop` belong to the repository `acme/shop`. */
export function repositoryOfImage(name: string): string | undefined {
  const [owner, repository] = name.split("/");
  return owner === undefined || repository === undefined ? undefined : `${owner}/${repository}`;
}
