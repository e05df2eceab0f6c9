/** What is scraped: the routers, this process, and pods that ask for it with the usual annotations. */
import { isPodReady, type Pod, pods, reachablePort } from "#api";
import type { Informers } from "#controller";
import type { MetricRegistry, ScrapeTarget, ScrapeTargetsPort } from "#metrics";
import type { Routers } from "#router";

const maxExpositionBytes = 16 * 1024 * 1024;

export function scrapeTargets(informers: Informers, routers: Routers, own: MetricRegistry): ScrapeTargetsPort {
  // Routers are read together, so that one that is being replaced does not hide the others.
  const router: ScrapeTarget = {
    key: "router",
    labels: { job: "router" },
    read: async (signal) => mergeExpositions(await routers.metrics(signal)),
  };
  const control: ScrapeTarget = {
    key: "control",
    labels: { job: "tidegate", instance: "control" },
    read: () => Promise.resolve(own.expose()),
  };
  return { targets: () => [router, control, ...informers.for(pods).list().flatMap(podTarget)] };
}

/** Each router is an instance of its own, else their equal series would collide. */
function mergeExpositions(texts: readonly string[]): string {
  return texts.map((text, index) => withInstance(text, `router-${index}`)).join("\n");
}

function withInstance(text: string, instance: string): string {
  return text.replaceAll(/^([a-zA-Z_:][\w:]*)(\{)?/gm, (_all, name: string, brace: string | undefined) =>
    brace === undefined ? `${name}{instance="${instance}"}` : `${name}{instance="${instance}",`,
  );
}

function podTarget(pod: Pod): ScrapeTarget[] {
  const { annotations, name, namespace = "", uid = "" } = pod.metadata;
  if (annotations?.["prometheus.io/scrape"] !== "true" || !isPodReady(pod)) return [];
  const declared = pod.spec.containers.flatMap((container) => container.ports ?? [])[0]?.containerPort;
  const port = Number(annotations["prometheus.io/port"] ?? declared);
  if (!Number.isInteger(port)) return [];
  const path = annotations["prometheus.io/path"] ?? "/metrics";
  const url = `http://${pod.status?.podIP ?? "127.0.0.1"}:${reachablePort(pod, port)}${path}`;
  const labels = { job: "pods", namespace, pod: name, instance: `${name}:${port}` };
  return [{ key: `pod:${uid}`, labels, read: (signal) => readMetrics(url, signal) }];
}

async function readMetrics(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal, headers: { accept: "text/plain;version=0.0.4" } });
  if (!response.ok) throw new Error(`The target answered ${response.status}`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > maxExpositionBytes) throw new Error(`The target exposes more than ${maxExpositionBytes} bytes`);
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString("utf8");
}
