import { openEmbeddedCluster } from "#kube";
import { silentLog, systemClock, systemIds } from "#lib";
import { rolloutCases } from "./rollouts.cases.ts";

const parts = { clock: systemClock, ids: systemIds, log: silentLog };

rolloutCases("rollouts on the embedded cluster", (stack) =>
  Promise.resolve(stack.use(openEmbeddedCluster({ file: ":memory:", ...parts }))),
);
