import { conditionFields, type Descriptions, inPackage } from "./shared.ts";
import { vendorSources } from "./volume-vendors.ts";

const core: Descriptions = inPackage("io.k8s.api.core.v1", {
  PersistentVolumeClaim: { "": "A wish for storage that outlives pods; it is bound to a volume." },
  PersistentVolumeClaimSpec: {
    "": "What storage is wished for.",
    accessModes:
      "ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod. Any is served: all pods are on one machine.",
    dataSource: "What the volume is to begin with. Recorded and without effect: volumes begin empty.",
    dataSourceRef: "What the volume is to begin with. Recorded and without effect: volumes begin empty.",
    resources: "The size wished for. It is noted and not enforced.",
    selector: "Labels of volumes that may be bound.",
    storageClassName: "How the volume is made; the default class when nothing is said, none when empty.",
    volumeAttributesClassName: "Class of changeable settings. Recorded and without effect.",
    volumeMode: "Filesystem or Block; a volume of the same mode is bound.",
    volumeName: "Volume that is bound; may be chosen beforehand.",
  },
  VolumeResourceRequirements: { limits: "The most.", requests: "The least; storage is its name." },
  PersistentVolumeClaimStatus: {
    "": "What a claim is like now.",
    accessModes: "Access modes of the volume.",
    allocatedResourceStatuses: "How far growing is; not set here.",
    allocatedResources: "Size being grown to; not set here.",
    capacity: "Size of the volume, as noted.",
    conditions: "Answers about growing; not set here, where it is done at once.",
    currentVolumeAttributesClassName: "Class in force; not set here.",
    modifyVolumeStatus: "How far a change of class is; not set here.",
    phase: "Pending, Bound or Lost.",
  },
  PersistentVolumeClaimCondition: {
    "": "One answer about a claim.",
    ...conditionFields,
    lastProbeTime: "When it was last looked.",
  },
  ModifyVolumeStatus: {
    status: "Pending, InProgress or Infeasible.",
    targetVolumeAttributesClassName: "Class that is wished for.",
  },
  PersistentVolume: { "": "A piece of storage. Those made here are folders in the data folder." },
  PersistentVolumeSpec: {
    "": "Where the storage is and who may have it.",
    ...vendorSources,
    accessModes: "How it may be used.",
    capacity: "Its size. It is noted and not enforced.",
    claimRef: "The claim that it is bound to.",
    csi: "A volume of a storage driver. It cannot be mounted here.",
    hostPath: "A folder of the machine.",
    local: "A folder of the machine.",
    mountOptions: "Options of mount. Recorded and without effect.",
    nfs: "A folder of an NFS server. It cannot be mounted here.",
    nodeAffinity: "Nodes from which it is reached.",
    persistentVolumeReclaimPolicy: "What becomes of it when the claim goes: Retain or Delete.",
    storageClassName: "Class of claims that may have it.",
    volumeAttributesClassName: "Class of changeable settings. Recorded and without effect.",
    volumeMode: "Filesystem or Block.",
  },
  VolumeNodeAffinity: { required: "What the node must meet." },
  LocalVolumeSource: {
    fsType: "File system. Recorded and without effect: it is a folder.",
    path: "Path of the folder.",
  },
  PersistentVolumeStatus: {
    "": "What a volume is like now.",
    lastPhaseTransitionTime: "When its phase last changed.",
    message: "Why it is so, for people.",
    phase: "Pending, Available, Bound, Released or Failed.",
    reason: "Why it is so, in one word.",
  },
  TopologySelectorTerm: { matchLabelExpressions: "Labels of nodes." },
  TopologySelectorLabelRequirement: { "": "A label of nodes.", key: "Its name.", values: "Values that it may have." },
});

const classes: Descriptions = inPackage("io.k8s.api.storage.v1", {
  StorageClass: {
    "": "A way to make volumes. Two are here: standard, the default, and local-path; both make folders.",
    allowVolumeExpansion: "True: claims may ask for more later.",
    allowedTopologies: "Places where volumes may be made. Recorded and without effect: there is one node.",
    mountOptions: "Options of mount. Recorded and without effect.",
    parameters: "What the maker is told.",
    provisioner: "Who makes the volumes.",
    reclaimPolicy: "What becomes of a volume when its claim goes: Delete or Retain.",
    volumeBindingMode: "Immediate, or WaitForFirstConsumer: when a pod first needs it.",
  },
});

/** Claims, volumes and the classes that they are made by. */
export const storageDescriptions: Descriptions = { ...core, ...classes };
