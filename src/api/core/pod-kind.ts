import { defineKind } from "../meta/kind.ts";
import { setPodSpecDefaults } from "./pod-defaults.ts";
import { qosClassOf } from "./pod-quality.ts";
import { podDisplay } from "./pod-display.ts";
import { type Pod, pods } from "./pod.ts";
import { validatePod } from "./pod-validation.ts";

export const podKind = defineKind<Pod>({
  type: pods,
  singular: "pod",
  shortNames: ["po"],
  categories: ["all"],
  status: true,
  generation: true,
  fields: ["spec", "status"],
  setDefaults(pod) {
    setPodSpecDefaults(pod.spec);
    if (pod.spec === undefined) return;
    pod.spec["enableServiceLinks"] ??= true;
    // Only of pods themselves: templates keep what their author wrote.
    for (const { resources } of [...(pod.spec.initContainers ?? []), ...(pod.spec.containers ?? [])]) {
      if (resources?.limits !== undefined) resources.requests = { ...resources.limits, ...resources.requests };
    }
  },
  complete(pod, old) {
    if (old === undefined) pod.status = { phase: "Pending", qosClass: qosClassOf(pod.spec) };
  },
  validate: validatePod,
  columns: [
    { name: "Ready", cell: (pod, now) => podDisplay(pod, now).ready },
    { name: "Status", cell: (pod, now) => podDisplay(pod, now).status },
    { name: "Restarts", cell: (pod, now) => podDisplay(pod, now).restarts },
    { name: "IP", wide: true, cell: ({ status }) => status?.podIP ?? "<none>" },
    { name: "Node", wide: true, cell: ({ spec }) => spec.nodeName ?? "<none>" },
    { name: "Nominated Node", wide: true, cell: () => "<none>" },
    { name: "Readiness Gates", wide: true, cell: () => "<none>" },
  ],
  selectableFields: {
    "spec.nodeName": ({ spec }) => spec.nodeName ?? "",
    "spec.restartPolicy": ({ spec }) => spec.restartPolicy ?? "",
    "spec.schedulerName": ({ spec }) => spec.schedulerName ?? "",
    "spec.serviceAccountName": ({ spec }) => spec.serviceAccountName ?? "",
    "status.phase": ({ status }) => status?.phase ?? "",
    "status.podIP": ({ status }) => status?.podIP ?? "",
    "status.nominatedNodeName": () => "",
  },
});
