import { defineKind } from "../meta/kind.ts";
import { type Lease, leases } from "./core-types.ts";

export const leaseKind = defineKind<Lease>({
  type: leases,
  singular: "lease",
  status: false,
  generation: false,
  lockedUpdates: true,
  fields: ["spec"],
  validate({ spec }) {
    const seconds = spec?.leaseDurationSeconds;
    if (seconds === undefined || (Number.isInteger(seconds) && seconds > 0)) return [];
    return [{ path: "spec.leaseDurationSeconds", message: `Invalid value: ${seconds}: must be greater than 0` }];
  },
  columns: [{ name: "Holder", cell: ({ spec }) => spec?.holderIdentity ?? "" }],
});
