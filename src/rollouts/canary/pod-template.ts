/** When two pod templates are the same, whatever defaults an API server has filled in since. */
import { podTemplateHashLabel, type PodTemplateSpec } from "#api";
import { canonicalJson, fnv1a32, isObject, safeEncode, sha256Hex } from "#lib";

/** The revision's hash: stable for equal templates, also after a default was filled in or left out. */
export function podTemplateHash(template: PodTemplateSpec, collisionCount: number): string {
  const suffix = collisionCount === 0 ? "" : `#${collisionCount}`;
  return safeEncode(String(fnv1a32(canonicalJson(withoutDefaults(template)) + suffix)));
}

/** Tells templates apart where the short hash might not. */
export function templateDigest(template: PodTemplateSpec): string {
  return sha256Hex(canonicalJson(withoutDefaults(template)));
}

export function isSameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  return canonicalJson(withoutDefaults(a)) === canonicalJson(withoutDefaults(b));
}

type Fields = Readonly<Record<string, unknown>>;

const podDefaults: Fields = {
  restartPolicy: "Always",
  dnsPolicy: "ClusterFirst",
  schedulerName: "default-scheduler",
  terminationGracePeriodSeconds: 30,
  securityContext: {},
  enableServiceLinks: true,
};
const containerDefaults: Fields = {
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  resources: {},
};
const probeDefaults: Fields = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
const httpGetDefaults: Fields = { scheme: "HTTP", path: "/" };
const sourceDefaults: Fields = { defaultMode: 0o644 };

/** The template without what core/v1 would fill in anyway, without our label and with quantities in one form. */
function withoutDefaults(template: PodTemplateSpec): unknown {
  const { metadata = {}, spec } = template;
  const labels = { ...metadata.labels };
  delete labels[podTemplateHashLabel];
  return clean({
    metadata: { labels, annotations: metadata.annotations, ...keep(metadata, ["name", "namespace"]) },
    spec: podWithoutDefaults(spec),
  });
}

function keep(source: object, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(source).filter(([name]) => names.includes(name)));
}

function podWithoutDefaults(spec: Fields): Fields {
  // `serviceAccount` is the deprecated twin that servers fill in from `serviceAccountName`.
  const { serviceAccount: _deprecated, ...rest } = strip(spec, podDefaults);
  return {
    ...rest,
    containers: list(spec["containers"], containerWithoutDefaults),
    initContainers: list(spec["initContainers"], containerWithoutDefaults),
    volumes: list(spec["volumes"], volumeWithoutDefaults),
  };
}

function containerWithoutDefaults(container: Fields): Fields {
  const stripped = strip(container, containerDefaults);
  const image = String(container["image"]);
  const pullDefault = /(^[^:]*|\/[^:]*|:latest)$/.test(image) && !image.includes("@") ? "Always" : "IfNotPresent";
  const probes = ["livenessProbe", "readinessProbe", "startupProbe"].flatMap((name) => {
    const probe = container[name];
    return isObject(probe) ? [[name, probeWithoutDefaults(probe)] as const] : [];
  });
  return {
    ...strip(stripped, { imagePullPolicy: pullDefault }),
    ...Object.fromEntries(probes),
    ports: list(container["ports"], (port) => strip(port, { protocol: "TCP" })),
    env: list(container["env"], variableWithoutDefaults),
    resources: resourcesInOneForm(container["resources"]),
  };
}

function probeWithoutDefaults(probe: Fields): Fields {
  const httpGet = probe["httpGet"];
  const stripped = strip(probe, probeDefaults);
  // An empty httpGet still says what kind of probe it is: a mark keeps it from being dropped.
  return isObject(httpGet) ? { ...stripped, httpGet: { probe: "http", ...strip(httpGet, httpGetDefaults) } } : stripped;
}

function variableWithoutDefaults(variable: Fields): Fields {
  const from = variable["valueFrom"];
  const field = isObject(from) ? from["fieldRef"] : undefined;
  const stripped = strip(variable, { value: "" });
  if (!isObject(from) || !isObject(field)) return stripped;
  return { ...stripped, valueFrom: { ...from, fieldRef: strip(field, { apiVersion: "v1" }) } };
}

function volumeWithoutDefaults(volume: Fields): Fields {
  return Object.fromEntries(
    Object.entries(volume).map(([name, source]) =>
      isObject(source) ? [name, { source: name, ...strip(source, sourceDefaults) }] : [name, source],
    ),
  );
}

function resourcesInOneForm(resources: unknown): Fields {
  if (!isObject(resources)) return {};
  return Object.fromEntries(
    Object.entries(resources).map(([kind, amounts]) => [
      kind,
      isObject(amounts)
        ? Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, quantity(String(amount))]))
        : amounts,
    ]),
  );
}

const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** `1000m`, `1` and `1.0` are the same quantity. */
function quantity(text: string): string {
  const [, number = "", suffix = ""] = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = suffix === "" ? 1 : factors[suffix];
  if (number === "" || factor === undefined) return text;
  return String(Number((Number(number) * factor).toPrecision(12)));
}

function strip(fields: Fields, defaults: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) => !(name in defaults && canonicalJson(value) === canonicalJson(defaults[name])),
    ),
  );
}

function list(value: unknown, change: (item: Fields) => Fields): unknown {
  return Array.isArray(value) ? value.map((item) => (isObject(item) ? change(item) : (item as unknown))) : undefined;
}

/** Without nulls, and without objects and lists that are empty: none of them says anything in a template. */
function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clean);
  if (!isObject(value)) return value;
  const entries = Object.entries(value)
    .map(([key, inner]) => [key, clean(inner)] as const)
    .filter(([, inner]) => !isNothing(inner));
  return Object.fromEntries(entries);
}

function isNothing(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
