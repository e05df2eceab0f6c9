import { AppError } from "#lib";

export type StreamErrorCode = "kube/spdy-protocol" | "kube/stream-protocol" | "kube/stream-gone";

/** What ends a stream connection: the peer broke its protocol, or is gone. */
export class StreamError extends AppError<StreamErrorCode> {}
