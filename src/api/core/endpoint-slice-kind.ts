import type { Problem } from "#lib";
import { defineKind } from "../meta/kind.ts";
import { type EndpointSlice, endpointSlices } from "./core-types.ts";

const shownLimit = 3;

export const endpointSliceKind = defineKind<EndpointSlice>({
  type: endpointSlices,
  singular: "endpointslice",
  status: false,
  generation: "with labels",
  fields: ["addressType", "endpoints", "ports"],
  setDefaults(slice) {
    // The typed view says there is always a list; a client may leave it out.
    (slice as Partial<typeof slice>).endpoints ??= [];
    for (const port of slice.ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  validate(slice, old) {
    const problems: Problem[] = [];
    const known = ["IPv4", "IPv6", "FQDN"];
    if (!known.includes(slice.addressType)) {
      const message = `Unsupported value: ${JSON.stringify(slice.addressType)}: supported values: ${known.join(", ")}`;
      problems.push({ path: "addressType", message });
    } else if (old !== undefined && old.addressType !== slice.addressType) {
      problems.push({ path: "addressType", message: "Invalid value: field is immutable" });
    }
    for (const [index, endpoint] of (slice.endpoints ?? []).entries()) {
      if ((endpoint.addresses ?? []).length > 0) continue;
      problems.push({
        path: `endpoints[${index}].addresses`,
        message: "Required value: must contain at least 1 address",
      });
    }
    return problems;
  },
  columns: [
    { name: "AddressType", cell: ({ addressType }) => addressType },
    {
      name: "Ports",
      cell: ({ ports }) =>
        listed(
          (ports ?? []).map(({ port }) => String(port)),
          "<unset>",
        ),
    },
    {
      name: "Endpoints",
      cell: ({ endpoints }) =>
        listed(
          endpoints.flatMap(({ addresses }) => addresses),
          "<unset>",
        ),
    },
  ],
});

function listed(items: readonly string[], none: string): string {
  if (items.length === 0) return none;
  const shown = items.slice(0, shownLimit).join(",");
  return items.length > shownLimit ? `${shown} + ${items.length - shownLimit} more...` : shown;
}
