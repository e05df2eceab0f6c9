import { errorCode, errorMessage } from "#lib";

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
};

/** Why a connection failed, as kubelet's events say it. */
export function connectionText(error: unknown, host: string, port: number): string {
  const why = reasons[errorCode(error) ?? ""];
  return why === undefined ? errorMessage(error) : `dial tcp ${host}:${port}: connect: ${why}`;
}
