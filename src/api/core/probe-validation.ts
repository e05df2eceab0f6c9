/** What upstream checks of probes and lifecycle hooks, with its paths and messages. Pure. */
import type { Problem } from "#lib";
import { invalid, required, unsupported } from "../argo/field-problem.ts";
import type { IntOrString } from "../meta/object.ts";
import { faultProblems, portNameFaults, portNumberFaults } from "../meta/name-rules.ts";
import type { Container, LifecycleHandler, Probe } from "./pod.ts";

export function probesProblems(container: Container, path: string, grace: number | undefined): Problem[] {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  const problems: Problem[] = [];
  for (const hook of ["postStart", "preStop"] as const) {
    const handler = lifecycle?.[hook];
    if (handler !== undefined) problems.push(...handlerProblems(handler, `${path}.lifecycle.${hook}`, grace));
  }
  return [
    ...problems,
    ...probeProblems(livenessProbe, `${path}.livenessProbe`, true),
    ...probeProblems(readinessProbe, `${path}.readinessProbe`, false),
    ...probeProblems(startupProbe, `${path}.startupProbe`, true),
  ];
}

const counts = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;

function probeProblems(probe: Probe | undefined, path: string, successIsOne: boolean): Problem[] {
  if (probe === undefined) return [];
  const problems = handlerProblems(probe, path, undefined);
  for (const field of counts) {
    const value = probe[field];
    if (value === undefined || value >= 0) continue;
    problems.push(invalid(`${path}.${field}`, value, "must be greater than or equal to 0"));
  }
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) {
    problems.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, "must be greater than 0"));
  }
  if (successIsOne && probe.successThreshold !== undefined && probe.successThreshold !== 1) {
    problems.push(invalid(`${path}.successThreshold`, probe.successThreshold, "must be 1"));
  }
  if (!successIsOne && grace !== undefined) {
    problems.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, "must not be set for readinessProbes"));
  }
  return problems;
}

const handlers = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;

function handlerProblems(handler: Probe & LifecycleHandler, path: string, grace: number | undefined): Problem[] {
  const given = handlers.filter((name) => handler[name] !== undefined);
  const [first, ...others] = given;
  if (first === undefined) return [required(path, "must specify a handler type")];
  return [
    ...actionProblems(handler, first, `${path}.${first}`, grace),
    ...others.map((name) => ({
      path: `${path}.${name}`,
      message: "Forbidden: may not specify more than 1 handler type",
    })),
  ];
}

function actionProblems(
  handler: Probe & LifecycleHandler,
  name: (typeof handlers)[number],
  path: string,
  grace: number | undefined,
): Problem[] {
  switch (name) {
    case "exec":
      return (handler.exec?.command ?? []).length === 0 ? [required(`${path}.command`, "")] : [];
    case "httpGet": {
      const { path: url, port, scheme } = handler.httpGet ?? { port: 0 };
      const problems = url ? [] : [required(`${path}.path`, "")];
      problems.push(...portProblems(port, `${path}.port`));
      if (scheme !== undefined && scheme !== "HTTP" && scheme !== "HTTPS") {
        problems.push(unsupported(`${path}.scheme`, scheme, ["HTTP", "HTTPS"]));
      }
      return problems;
    }
    case "tcpSocket":
      return portProblems(handler.tcpSocket?.port ?? 0, `${path}.port`);
    case "grpc": {
      const port = handler.grpc?.port ?? 0;
      return faultProblems(`${path}.port`, port, portNumberFaults(port));
    }
    case "sleep": {
      const seconds = handler.sleep?.seconds ?? 0;
      if (grace === undefined || (seconds > 0 && seconds <= grace)) return [];
      const gate = "Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.";
      const why = `must be greater than 0 and less than terminationGracePeriodSeconds (${grace}). ${gate}`;
      return seconds === 0 ? [] : [invalid(path, seconds, why)];
    }
  }
}

function portProblems(port: IntOrString, path: string): Problem[] {
  return faultProblems(path, port, typeof port === "number" ? portNumberFaults(port) : portNameFaults(port));
}
