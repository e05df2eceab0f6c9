import { openEmbeddedCluster } from "#kube";
import { silentLog, systemClock, systemIds } from "#lib";
import { gitopsCases } from "./gitops.cases.ts";

const parts = { clock: systemClock, ids: systemIds, log: silentLog };

gitopsCases({
  name: "applications on the embedded cluster",
  open: (stack) => Promise.resolve(stack.use(openEmbeddedCluster({ file: ":memory:", ...parts }))),
  skipValidation: false,
});
