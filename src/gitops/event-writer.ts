/** Kubernetes Events about Applications, with upstream's reasons. */
import { applications, type Application, type Operation, type OperationState } from "#api";
import { recordEvent, type EventRecorderOptions, type EventText } from "#controller";

export class EventWriter {
  readonly #options: EventRecorderOptions;

  constructor(options: Omit<EventRecorderOptions, "component">) {
    this.#options = { ...options, component: "argocd-application-controller" };
  }

  async operationStarted(
    application: Application,
    operation: Operation,
    revision: string,
    signal: AbortSignal,
  ): Promise<void> {
    const how = operation.initiatedBy?.automated === true ? "automated sync" : "sync";
    await this.#record(
      application,
      { type: "Normal", reason: "OperationStarted", message: `Initiated ${how} to "${revision}"` },
      signal,
    );
  }

  async operationFinished(application: Application, state: OperationState, signal: AbortSignal): Promise<void> {
    const revision = state.syncResult?.revision ?? "";
    const good = state.phase === "Succeeded";
    const message = good
      ? `Sync operation to ${revision} succeeded`
      : `Sync operation to ${revision} failed: ${state.message ?? ""}`;
    await this.#record(
      application,
      { type: good ? "Normal" : "Warning", reason: "OperationCompleted", message },
      signal,
    );
  }

  async statusChanged(before: Application, after: Application, signal: AbortSignal): Promise<void> {
    const changes = [
      ["sync", before.status?.sync?.status, after.status?.sync?.status],
      ["health", before.status?.health?.status, after.status?.health?.status],
    ] as const;
    for (const [what, from, to] of changes) {
      if (from === to || to === undefined) continue;
      const type = to === "Degraded" || to === "Unknown" ? "Warning" : "Normal";
      const message = `Updated ${what} status: ${from ?? ""} -> ${to}`;
      await this.#record(after, { type, reason: "ResourceUpdated", message }, signal);
    }
  }

  async #record(application: Application, text: EventText, signal: AbortSignal): Promise<void> {
    await recordEvent(this.#options, applications, application, text, signal);
  }
}
