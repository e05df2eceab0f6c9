import type { Container, IntOrString } from "#api";

/** The container port that a number, a name or a number in quotes means; undefined for an unknown name. */
export function resolvePort(containers: readonly Container[], port: IntOrString): number | undefined {
  if (typeof port === "number") return port;
  for (const container of containers) {
    const named = container.ports?.find(({ name }) => name === port);
    if (named !== undefined) return named.containerPort;
  }
  return /^\d+$/.test(port) ? Number(port) : undefined;
}
