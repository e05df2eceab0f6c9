import type { AnyObject } from "#api";
import { KubeError } from "../../client/kube-error.ts";
import type { ObjectApi, Place } from "../object-api.ts";
import type { ServedKind } from "../registry/served-kind.ts";
import type { WriteRequest } from "../write/write-request.ts";

export interface ApplyRequest {
  readonly config: Record<string, unknown>;
  readonly force: boolean;
  readonly write: WriteRequest;
}

export function applyConfiguration(
  _objects: ObjectApi,
  _kind: ServedKind,
  _place: Place,
  _request: ApplyRequest,
): { object: AnyObject; created: boolean } {
  throw new KubeError("UnsupportedMediaType", "Server-side apply is not offered by this server: use a merge patch");
}
