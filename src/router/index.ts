/** The traffic router: plan a table, start the processes, give it to them. */
export { RouterError, type RouterErrorCode } from "./errors.ts";
export { planRoutingTable, type ObservedTraffic } from "./table/plan-routing-table.ts";
export { endpointsOf, splitGenerations, type RoutingTable, type SplitGeneration } from "./table/routing-table.ts";
