import type { Problem } from "#lib";
import { invalid, required, unsupported } from "../argo/field-problem.ts";
import { defineKind } from "../meta/kind.ts";
import type { IntOrString, KubeObject, LabelSelector } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";
import { selectorText } from "../meta/selector-text.ts";

interface Port {
  protocol?: string;
  port?: IntOrString;
  endPort?: number;
}

interface Peer {
  podSelector?: LabelSelector;
  namespaceSelector?: LabelSelector;
  ipBlock?: { cidr: string; except?: string[] };
}

export interface NetworkPolicy extends KubeObject {
  spec?: {
    podSelector?: LabelSelector;
    policyTypes?: ("Ingress" | "Egress")[];
    ingress?: { ports?: Port[]; from?: Peer[] }[];
    egress?: { ports?: Port[]; to?: Peer[] }[];
  };
}

const networkPolicies: ResourceType<NetworkPolicy> = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  namespaced: true,
};

export const networkPolicyKind = defineKind<NetworkPolicy>({
  type: networkPolicies,
  singular: "networkpolicy",
  shortNames: ["netpol"],
  status: false,
  generation: true,
  setDefaults({ spec }) {
    if (spec === undefined) return;
    for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of ports ?? []) port.protocol ??= "TCP";
    }
    if ((spec.policyTypes ?? []).length === 0) {
      spec.policyTypes = (spec.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
    }
  },
  validate({ spec }) {
    const problems: Problem[] = [];
    (spec?.ingress ?? []).forEach(({ ports, from }, index) => {
      problems.push(...ruleProblems(ports, from, `spec.ingress[${index}]`, "from"));
    });
    (spec?.egress ?? []).forEach(({ ports, to }, index) => {
      problems.push(...ruleProblems(ports, to, `spec.egress[${index}]`, "to"));
    });
    if ((spec?.policyTypes ?? []).length > 2) {
      problems.push(invalid("spec.policyTypes", spec?.policyTypes, "may not specify more than two policyTypes"));
    }
    (spec?.policyTypes ?? []).forEach((type, index) => {
      if (type !== "Ingress" && type !== "Egress") {
        problems.push(unsupported(`spec.policyTypes[${index}]`, type, ["Egress", "Ingress"]));
      }
    });
    return problems;
  },
  columns: [{ name: "Pod-Selector", cell: ({ spec }) => selectorText(spec?.podSelector) }],
});

function endPortProblems(port: IntOrString | undefined, endPort: number, path: string): Problem[] {
  if (port === undefined) return [invalid(path, endPort, "may not be specified when `port` is not specified")];
  if (typeof port === "string") return [invalid(path, endPort, "may not be specified when `port` is non-numeric")];
  const problems: Problem[] = [];
  if (endPort < port) problems.push(invalid(path, endPort, "must be greater than or equal to `port`"));
  if (endPort < 1 || endPort > 65_535) {
    problems.push(invalid(path, endPort, "must be between 1 and 65535, inclusive"));
  }
  return problems;
}

const protocols = ["SCTP", "TCP", "UDP"];

function ruleProblems(
  ports: readonly Port[] | undefined,
  peers: readonly Peer[] | undefined,
  path: string,
  direction: string,
): Problem[] {
  const problems: Problem[] = [];
  (ports ?? []).forEach(({ protocol, port, endPort }, index) => {
    const at = `${path}.ports[${index}]`;
    if (protocol !== undefined && !protocols.includes(protocol)) {
      problems.push(unsupported(`${at}.protocol`, protocol, protocols));
    }
    if (typeof port === "number" && (port < 1 || port > 65_535)) {
      problems.push(invalid(`${at}.port`, port, "must be between 1 and 65535, inclusive"));
    }
    if (endPort !== undefined) problems.push(...endPortProblems(port, endPort, `${at}.endPort`));
  });
  (peers ?? []).forEach(({ podSelector, namespaceSelector, ipBlock }, index) => {
    const at = `${path}.${direction}[${index}]`;
    if (podSelector === undefined && namespaceSelector === undefined && ipBlock === undefined) {
      problems.push(required(at, "must specify a peer"));
    }
    if (ipBlock !== undefined && (podSelector !== undefined || namespaceSelector !== undefined)) {
      problems.push({ path: at, message: "Forbidden: may not specify both ipBlock and another peer" });
    }
    if (ipBlock !== undefined && !ipBlock.cidr) problems.push(required(`${at}.ipBlock.cidr`, ""));
  });
  return problems;
}
