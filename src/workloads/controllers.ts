/** The controllers of the embedded cluster, and what they remember of their own writes. */
import { controllerRevisions, cronJobs, jobs, persistentVolumeClaims, pods } from "#api";
import type { Controller } from "#controller";
import { type AutoscalingParts, createAutoscalerController } from "./autoscaling/autoscaler-controller.ts";
import type { ControllerContext } from "./controller-context.ts";
import { createCronJobController } from "./cronjob/cron-job-controller.ts";
import { createDaemonSetController } from "./daemonset/daemon-set-controller.ts";
import { createDeploymentController } from "./deployment/deployment-controller.ts";
import { createDisruptionController } from "./disruption/disruption-controller.ts";
import { createEndpointSliceController } from "./endpoints/endpoint-slice-controller.ts";
import { createEndpointsController } from "./endpoints/endpoints-controller.ts";
import { createJobController } from "./job/job-controller.ts";
import { createTaintController } from "./nodes/taint-controller.ts";
import { OwnWrites } from "./pods/own-writes.ts";
import { createReplicaSetController } from "./replicas/replica-set-controller.ts";
import { createStatefulSetController } from "./statefulset/stateful-set-controller.ts";
import { createClaimController } from "./volumes/claim-controller.ts";
import type { VolumeFolderPort } from "./volumes/ports.ts";
import { createVolumeController } from "./volumes/volume-controller.ts";

/** `owned` holds what ends with them. */
export function createControllers(
  context: ControllerContext,
  { volumes, autoscaling }: { readonly volumes: VolumeFolderPort; readonly autoscaling: AutoscalingParts },
  owned: DisposableStack,
): readonly Controller[] {
  const { informers, clock } = context;
  const written = {
    pods: owned.use(new OwnWrites(informers.for(pods), clock)),
    revisions: owned.use(new OwnWrites(informers.for(controllerRevisions), clock)),
    claims: owned.use(new OwnWrites(informers.for(persistentVolumeClaims), clock)),
    jobs: owned.use(new OwnWrites(informers.for(jobs), clock)),
    cronJobs: owned.use(new OwnWrites(informers.for(cronJobs), clock)),
  };
  return [
    createReplicaSetController(context, written.pods),
    createDeploymentController(context),
    createStatefulSetController(context, written),
    createDaemonSetController(context, written),
    createJobController(context, written),
    createCronJobController(context, written),
    createEndpointSliceController(context),
    createEndpointsController(context),
    createDisruptionController(context),
    createAutoscalerController(context, autoscaling),
    createClaimController(context, volumes),
    createVolumeController(context, volumes),
    createTaintController(context),
  ];
}
