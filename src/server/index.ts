/** The composition root: builds the rooms, wires ports to adapters, listens, supervises, drains. */
export {
  childEnvironment,
  type Config,
  ConfigError,
  type ConfigFlags,
  homeFolder,
  jobHooks,
  localEnvironment,
  mayColour,
  readConfig,
  remoteServer,
} from "./config.ts";
export { type Endpoints, type Home, homeOf, readEndpoints } from "./home.ts";
export { kubeconfigText, type KubeconfigContent } from "./kubeconfig.ts";
export { LocalActions, type LocalRequest, type LocalResult } from "./local/local-run.ts";
export type { LocalEvent } from "./local/follow-run.ts";
export { readPayload } from "./local/local-event.ts";
export { processLog } from "./process-log.ts";
export { supervise, type Supervisor, SupervisorError, type SupervisorOptions } from "./supervisor.ts";
export { version } from "./version.ts";
export { machineIsolation } from "./machine-isolation.ts";
