import { type Descriptions, inPackage } from "./shared.ts";
import { vendorSources } from "./volume-vendors.ts";

const notHere = "Not available here: a pod with it does not start.";
const optionalFiles = "True: what is missing is left out.";
const filesByKey = "Keys to take and the files they become; all keys when nothing is said.";
const defaultMode = "Permissions of the files, as octal in YAML; 0644 when nothing is said.";

/** Volumes of pods that have an effect here. Those of single vendors are in a table of their own. */
export const volumeDescriptions: Descriptions = inPackage("io.k8s.api.core.v1", {
  Volume: {
    "": "A volume has a name and one source.",
    ...vendorSources,
    name: "Name by which containers mount it.",
    configMap: "Files out of a ConfigMap; they follow its changes.",
    secret: "Files out of a Secret; they follow its changes.",
    downwardAPI: "Files that tell of the pod itself.",
    projected: "Files out of several sources in one folder.",
    emptyDir: "A folder that begins empty and goes with the pod.",
    hostPath: "A file or folder of the machine.",
    persistentVolumeClaim: "The folder of a claim, which outlives the pod.",
    ephemeral: `A claim that comes and goes with the pod. ${notHere}`,
    image: `The files of an image. ${notHere}`,
    csi: `A volume of a storage driver. ${notHere}`,
    nfs: `A folder of an NFS server. ${notHere}`,
    gitRepo: `Files of a git repository. ${notHere}`,
  },
  VolumeMount: {
    name: "Name of the volume.",
    mountPath: "Path in the container; a plain process finds it below TIDEGATE_ROOT.",
    subPath: "File or folder of the volume to mount instead of the whole.",
    subPathExpr: "The same, with $(NAME) replaced by variables of the container.",
    readOnly: "True: it cannot be written; for plain processes that cannot be kept.",
    recursiveReadOnly: "What becomes of mounts below. Recorded and without effect.",
    mountPropagation: "Whether later mounts are seen on the other side. Recorded and without effect.",
  },
  VolumeDevice: {
    name: "Name of the volume.",
    devicePath: "Path in the container.",
  },
  ConfigMapVolumeSource: {
    name: "Name of the ConfigMap.",
    items: filesByKey,
    defaultMode,
    optional: optionalFiles,
  },
  SecretVolumeSource: {
    secretName: "Name of the Secret.",
    items: filesByKey,
    defaultMode,
    optional: optionalFiles,
  },
  KeyToPath: {
    "": "A key and the file that it becomes.",
    key: "The key.",
    path: "Path of the file in the volume.",
    mode: "Permissions of this file.",
  },
  DownwardAPIVolumeSource: { items: "The files.", defaultMode },
  DownwardAPIVolumeFile: {
    "": "A file that tells of the pod.",
    path: "Path of the file in the volume.",
    fieldRef: "The field of the pod that it tells.",
    resourceFieldRef: "The limit or request of a container that it tells.",
    mode: "Permissions of this file.",
  },
  ProjectedVolumeSource: {
    "": "Of two files with the same path the later one counts.",
    sources: "The sources.",
    defaultMode,
  },
  VolumeProjection: {
    "": "A source of files; one of these.",
    configMap: "Keys of a ConfigMap.",
    secret: "Keys of a Secret.",
    downwardAPI: "What is to be told of the pod.",
    serviceAccountToken: "A token of the pod's account, renewed before it ends.",
    clusterTrustBundle: "Certificates of the cluster. Recorded and without effect: nothing is put there.",
  },
  ConfigMapProjection: {
    "": "Files out of a ConfigMap.",
    name: "Name of the ConfigMap.",
    items: filesByKey,
    optional: optionalFiles,
  },
  SecretProjection: {
    "": "Files out of a Secret.",
    name: "Name of the Secret.",
    items: filesByKey,
    optional: optionalFiles,
  },
  DownwardAPIProjection: { "": "Files that tell of the pod itself.", items: "The files." },
  ServiceAccountTokenProjection: {
    audience: "Whom the token is for; the API server when nothing is said.",
    expirationSeconds: "How long it lasts, at least 600; an hour when nothing is said.",
    path: "Path of the file in the volume.",
  },
  ClusterTrustBundleProjection: {
    name: "Name of the bundle.",
    signerName: "Whose bundles are taken.",
    labelSelector: "Which of them, by their labels.",
    optional: optionalFiles,
    path: "Path of the file in the volume.",
  },
  EmptyDirVolumeSource: {
    medium: "Memory asks for it in memory. Recorded and without effect: it is on the disk.",
    sizeLimit: "The most it may hold. Recorded and not enforced.",
  },
  HostPathVolumeSource: {
    "": "TIDEGATE_HOST_PATHS says what of the machine may be used.",
    path: "Path on the machine.",
    type: "What must be there, or is made: Directory, DirectoryOrCreate, File, FileOrCreate, Socket, CharDevice, BlockDevice.",
  },
  PersistentVolumeClaimVolumeSource: {
    claimName: "Name of the claim, in the namespace of the pod.",
    readOnly: "Recorded and without effect: say readOnly where it is mounted.",
  },
  EphemeralVolumeSource: {
    volumeClaimTemplate: "Pattern of the claim.",
  },
  PersistentVolumeClaimTemplate: {
    metadata: "Labels and annotations of the claim.",
    spec: "What the claim asks for.",
  },
  ImageVolumeSource: {
    reference: "The image.",
    pullPolicy: "When it is asked for anew.",
  },
  LocalObjectReference: { "": "An object of the same namespace.", name: "Name of the object." },
});
