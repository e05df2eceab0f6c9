import { required } from "../argo/field-problem.ts";
import { defineKind } from "../meta/kind.ts";
import type { KubeObject } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";

interface EndpointAddress {
  ip: string;
  hostname?: string;
  nodeName?: string;
  targetRef?: { kind?: string; namespace?: string; name?: string; uid?: string };
}

/** The older form of EndpointSlices, for clients that still read it. */
export interface Endpoints extends KubeObject {
  subsets?: {
    addresses?: EndpointAddress[];
    notReadyAddresses?: EndpointAddress[];
    ports?: { name?: string; port: number; protocol?: string; appProtocol?: string }[];
  }[];
}

export const endpoints: ResourceType<Endpoints> = {
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  namespaced: true,
};

const shownLimit = 3;

export const endpointsKind = defineKind<Endpoints>({
  type: endpoints,
  singular: "endpoints",
  shortNames: ["ep"],
  status: false,
  generation: false,
  setDefaults({ subsets }) {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ??= "TCP";
  },
  validate({ subsets }) {
    return (subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [] }, index) =>
      addresses.length + notReadyAddresses.length > 0
        ? []
        : [required(`subsets[${index}]`, "must specify `addresses` or `notReadyAddresses`")],
    );
  },
  columns: [{ name: "Endpoints", cell: addressesText }],
});

/** `10.0.0.1:80,10.0.0.2:80 + 3 more...` */
function addressesText({ subsets }: Endpoints): string {
  const all = (subsets ?? []).flatMap(({ addresses = [], ports }) =>
    ports === undefined || ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => `${ip}:${port}`)),
  );
  if (all.length === 0) return "<none>";
  const shown = all.slice(0, shownLimit).join(",");
  return all.length > shownLimit ? `${shown} + ${all.length - shownLimit} more...` : shown;
}
