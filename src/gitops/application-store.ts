/** Reads and writes Applications. Status has one writer, this room, so its writes take no lock; taking the operation does. */
import { applications, refreshAnnotation, type Application, type ApplicationStatus } from "#api";
import { isObject } from "#lib";
import type { Request } from "#controller";
import type { Cluster } from "#kube";
import { mergePatchBetween } from "./diff/merge-patch.ts";

export class ApplicationStore {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async get(request: Request, signal: AbortSignal): Promise<Application | undefined> {
    return await this.#cluster.get(applications, request, { signal });
  }

  /** Writes what differs; nothing when nothing does. With `taken`, the request for an operation or a refresh is removed. */
  async writeStatus(
    application: Application,
    status: ApplicationStatus,
    taken: { readonly operation?: boolean; readonly refresh?: boolean },
    signal: AbortSignal,
  ): Promise<Application> {
    const change = mergePatchBetween(application.status ?? {}, status);
    const patch: Record<string, unknown> = change === undefined ? {} : { status: change };
    const metadata: Record<string, unknown> = {};
    if (taken.operation === true && application.operation) {
      patch["operation"] = null;
      // Another request may have come since we read: then this write must lose.
      metadata["resourceVersion"] = application.metadata.resourceVersion;
    }
    if (taken.refresh === true && application.metadata.annotations?.[refreshAnnotation] !== undefined) {
      metadata["annotations"] = { [refreshAnnotation]: null };
    }
    if (Object.keys(metadata).length > 0) patch["metadata"] = metadata;
    if (Object.keys(patch).length === 0) return application;
    return await this.#patch(application, patch, signal);
  }

  async removeFinalizers(
    application: Application,
    gone: (finalizer: string) => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const finalizers = (application.metadata.finalizers ?? []).filter((finalizer) => !gone(finalizer));
    const { resourceVersion } = application.metadata;
    await this.#patch(application, { metadata: { finalizers, resourceVersion } }, signal);
  }

  async requestOperation(
    application: Application,
    operation: NonNullable<Application["operation"]>,
    signal: AbortSignal,
  ): Promise<void> {
    const { resourceVersion } = application.metadata;
    await this.#patch(application, { operation, metadata: { resourceVersion } }, signal);
  }

  async #patch(application: Application, patch: unknown, signal: AbortSignal): Promise<Application> {
    const { namespace = "", name } = application.metadata;
    const body = isObject(patch) ? structuredClone(patch) : patch;
    return await this.#cluster.patch(applications, { namespace, name }, { type: "merge", patch: body }, { signal });
  }
}
