/** The traffic router: plan a table, start the processes, give it to them. */
export { RouterError, type RouterErrorCode } from "./errors.ts";
export { planRoutingTable, type ObservedTraffic } from "./table/plan-routing-table.ts";
export {
  addressOf,
  endpointsOf,
  splitGenerations,
  type RoutingTable,
  type SplitGeneration,
} from "./table/routing-table.ts";
export { startRouters, type Routers, type RoutersOptions } from "./fleet/fleet.ts";
export type { RouterStatus } from "./process/control-protocol.ts";
export type { ProxySettings } from "./proxy/settings.ts";
