/**
 * The control process: builds every room, wires their ports to each other, starts the controllers and listens. The only
 * place where rooms meet. Read top to bottom, it is the life of the process: open what is durable, adopt what runs, then
 * let the loops go on from there.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { applications, pods } from "#api";
import { ensureAdminToken, Tokens } from "#auth";
import { Informers } from "#controller";
import { openMirrors, openRepositories } from "#git";
import { createGitops } from "#gitops";
import { createRegistryClient } from "#images";
import { openEmbeddedCluster } from "#kube";
import { errorMessage, type Log, openDatabase, readFileIfExists, systemClock, systemIds, TaskGroup, Wake, writeFileAtomic } from "#lib";
import { Metrics } from "#metrics";
import { createImageUpdater } from "#promotion";
import { openRegistry } from "#registry";
import { setKustomizeImage } from "#render";
import { createEmbeddedTraffic, createPrometheusMeasure, createRollouts } from "#rollouts";
import { startRouters } from "#router";
import { openProcessRuntime } from "#runtime";
import { Timeline } from "#timeline";
import { openWorkflows } from "#workflows";
import { createWorkloads } from "#workloads";
