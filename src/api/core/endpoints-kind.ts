import { required } from "../argo/field-problem.ts";
import { defineKind } from "../meta/kind.ts";
import { type Endpoints, endpoints } from "./core-types.ts";

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
