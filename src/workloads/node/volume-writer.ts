/** Keeps what a pod's volumes hold: writes them before a container starts, and again when their sources change. */
import type { Pod } from "#api";
import type { PodPlace } from "./pod-fields.ts";
import { readyHostPath } from "./host-path.ts";
import { type NodeContext, sourcesOf } from "./node-context.ts";
import { claimFolder } from "../volumes/claim-folder.ts";
import { PodTokens } from "./pod-tokens.ts";
import { podVolumes, type VolumeResult, type VolumeSources } from "./pod-volumes.ts";

export interface VolumeProblem {
  readonly name: string;
  readonly message: string;
}

export class VolumeWriter {
  readonly #context: NodeContext;
  readonly #tokens: PodTokens;
  /** At first too: sources may have changed while nobody looked, and tokens go on ending. */
  #stale = true;

  constructor(context: NodeContext) {
    this.#context = context;
    this.#tokens = new PodTokens(context.accounts, context.clock);
  }

  /** Something the volumes may be made of has changed. */
  markStale(): void {
    this.#stale = true;
  }

  /** When tokens in the volumes should be got anew. */
  get refreshAtMs(): number | undefined {
    return this.#tokens.refreshAtMs;
  }

  /** Writes all of them; returns the first that cannot be, which is then what its container waits for. */
  async write(pod: Pod, place: PodPlace, signal: AbortSignal): Promise<VolumeProblem | undefined> {
    await this.#tokens.refresh(pod);
    for (const volume of this.#results(pod, place)) {
      const problem = await this.#writeOne(pod, volume, signal);
      const name = volume.kind === "missing" ? volume.name : volume.value.name;
      if (problem !== undefined) return { name, message: problem };
    }
    return undefined;
  }

  /** For a pod that runs: what can be written is; what is missing now stays as it was. */
  async update(pod: Pod, place: PodPlace, signal: AbortSignal): Promise<void> {
    const dueMs = this.#tokens.refreshAtMs;
    const due = dueMs !== undefined && dueMs <= this.#context.clock.now().epochMilliseconds;
    const renewed = (due || this.#stale) && (await this.#tokens.refresh(pod));
    if (!this.#stale && !renewed) return;
    this.#stale = false;
    for (const volume of this.#results(pod, place)) {
      if (volume.kind === "complete" && volume.value.files !== undefined) await this.#writeOne(pod, volume, signal);
    }
  }

  #results(pod: Pod, place: PodPlace): VolumeResult[] {
    return podVolumes(pod, this.#sources(pod, place));
  }

  async #writeOne(pod: Pod, volume: VolumeResult, signal: AbortSignal): Promise<string | undefined> {
    if (volume.kind === "missing") return volume.message;
    const { hostPath, hostPathType } = volume.value;
    const problem = hostPath === undefined ? undefined : await readyHostPath(hostPath, hostPathType);
    if (problem !== undefined) return problem;
    await this.#context.runtime.writeVolume(pod.metadata.uid ?? "", volume.value, signal);
    return undefined;
  }

  #sources(pod: Pod, place: PodPlace): VolumeSources {
    const { claims, volumes, hostPaths } = this.#context;
    const namespace = pod.metadata.namespace ?? "";
    return {
      ...sourcesOf(this.#context, pod),
      place,
      token: (audience, seconds) => this.#tokens.get(audience, seconds),
      claim: (name) =>
        claimFolder(
          { claim: (place, own) => claims.get(place, own), volume: (own) => volumes.get("", own) },
          namespace,
          name,
        ),
      refusesHostPath(path) {
        if (hostPaths === undefined || hostPaths.some((allowed) => isBelow(path, allowed))) return undefined;
        return `hostPath "${path}" is not among the folders that pods may use: ${hostPaths.join(", ") || "none"}`;
      },
    };
  }
}

/** As the path is named; a climb out of a folder is none that is below it. */
function isBelow(path: string, folder: string): boolean {
  const clean = folder.replace(/\/+$/, "");
  return !path.split("/").includes("..") && (path === clean || path.startsWith(`${clean}/`));
}

/** Whether the pod's own labels and annotations may stand in its volumes. */
export function readsItself(pod: Pod): boolean {
  return (pod.spec.volumes ?? []).some(({ downwardAPI, projected }) => downwardAPI ?? projected);
}
