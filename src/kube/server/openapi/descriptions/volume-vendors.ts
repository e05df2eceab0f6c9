import { type Descriptions, inPackage } from "./shared.ts";

/** A pod with such a volume waits, and its events name the sources that can be had. */
const notHere = "It cannot be mounted here.";

const fsType = "File system of the disk.";
const readOnly = "Whether it cannot be written.";
const secretRef = "Secret with what is needed to log in.";

const azureFile = {
  secretName: "Secret with the account and its key.",
  shareName: "Name of the share.",
  readOnly,
};
const cephFolder = {
  monitors: "Addresses of the monitors.",
  path: "Path within the file system.",
  secretFile: "File with the key.",
  secretRef,
  user: "User to log in as.",
  readOnly,
};
const cephDisk = {
  fsType,
  image: "Name of the image.",
  keyring: "File with the key.",
  monitors: "Addresses of the monitors.",
  pool: "Pool that the image is in.",
  readOnly,
  secretRef,
  user: "User to log in as.",
};
const cinder = {
  fsType,
  readOnly,
  secretRef,
  volumeID: "Id of the disk.",
};
const flexVolume = {
  driver: "Name of the driver.",
  fsType,
  options: "Options of the driver.",
  readOnly,
  secretRef,
};
const gluster = {
  endpoints: "Endpoints object with the servers.",
  path: "Name of the volume.",
  readOnly,
};
const iscsi = {
  chapAuthDiscovery: "Whether discovery logs in by CHAP.",
  chapAuthSession: "Whether sessions log in by CHAP.",
  fsType,
  initiatorName: "Name of the initiator.",
  iqn: "Name of the target.",
  iscsiInterface: "Interface of the initiator.",
  lun: "Number of the disk at the target.",
  portals: "Further addresses of the target.",
  readOnly,
  secretRef,
  targetPortal: "Address of the target.",
};
const scaleIo = {
  fsType,
  gateway: "Address of the gateway.",
  protectionDomain: "Name of the protection domain.",
  readOnly,
  secretRef,
  sslEnabled: "Whether the gateway is asked over TLS.",
  storageMode: "Thick or thin.",
  storagePool: "Name of the pool.",
  system: "Name of the system.",
  volumeName: "Name of the volume.",
};
const storageOs = {
  fsType,
  readOnly,
  secretRef,
  volumeName: "Name of the volume.",
  volumeNamespace: "Namespace of the volume at the vendor.",
};

/** The fields that name such sources, in pods and in persistent volumes. */
export const vendorSources = {
  awsElasticBlockStore: `A disk of AWS. ${notHere}`,
  azureDisk: `A disk of Azure. ${notHere}`,
  azureFile: `A share of Azure. ${notHere}`,
  cephfs: `A folder of Ceph. ${notHere}`,
  cinder: `A disk of OpenStack. ${notHere}`,
  fc: `A disk over Fibre Channel. ${notHere}`,
  flexVolume: `A volume of an older kind of driver. ${notHere}`,
  flocker: `A volume of Flocker. ${notHere}`,
  gcePersistentDisk: `A disk of Google Cloud. ${notHere}`,
  glusterfs: `A volume of Gluster. ${notHere}`,
  iscsi: `A disk over iSCSI. ${notHere}`,
  photonPersistentDisk: `A disk of Photon. ${notHere}`,
  portworxVolume: `A volume of Portworx. ${notHere}`,
  quobyte: `A volume of Quobyte. ${notHere}`,
  rbd: `A disk of Ceph. ${notHere}`,
  scaleIO: `A volume of ScaleIO. ${notHere}`,
  storageos: `A volume of StorageOS. ${notHere}`,
  vsphereVolume: `A disk of vSphere. ${notHere}`,
} as const;

export const vendorVolumeDescriptions: Descriptions = inPackage("io.k8s.api.core.v1", {
  AWSElasticBlockStoreVolumeSource: {
    fsType,
    partition: "Number of the partition.",
    readOnly,
    volumeID: "Id of the disk.",
  },
  AzureDiskVolumeSource: {
    cachingMode: "How the host caches.",
    diskName: "Name of the disk.",
    diskURI: "Address of the disk.",
    fsType,
    kind: "Shared, Dedicated or Managed.",
    readOnly,
  },
  AzureFileVolumeSource: azureFile,
  AzureFilePersistentVolumeSource: { ...azureFile, secretNamespace: "Namespace of the Secret." },
  CephFSVolumeSource: cephFolder,
  CephFSPersistentVolumeSource: cephFolder,
  CinderVolumeSource: cinder,
  CinderPersistentVolumeSource: cinder,
  CSIVolumeSource: {
    driver: "Name of the driver.",
    fsType,
    nodePublishSecretRef: secretRef,
    readOnly,
    volumeAttributes: "What the driver is told.",
  },
  CSIPersistentVolumeSource: {
    controllerExpandSecretRef: "Secret for making it larger.",
    controllerPublishSecretRef: "Secret for giving it to a node.",
    driver: "Name of the driver.",
    fsType,
    nodeExpandSecretRef: "Secret for making it larger on the node.",
    nodePublishSecretRef: "Secret for mounting it for a pod.",
    nodeStageSecretRef: "Secret for mounting it on the node.",
    readOnly,
    volumeAttributes: "What the driver is told.",
    volumeHandle: "Id of the volume at the driver.",
  },
  FCVolumeSource: {
    fsType,
    lun: "Number of the disk at the target.",
    readOnly,
    targetWWNs: "Names of the targets.",
    wwids: "Names of the disk.",
  },
  FlexVolumeSource: flexVolume,
  FlexPersistentVolumeSource: flexVolume,
  FlockerVolumeSource: {
    datasetName: "Name of the volume.",
    datasetUUID: "Id of the volume.",
  },
  GCEPersistentDiskVolumeSource: {
    fsType,
    partition: "Number of the partition.",
    pdName: "Name of the disk.",
    readOnly,
  },
  GitRepoVolumeSource: {
    directory: "Folder to put them in.",
    repository: "Address of the repository.",
    revision: "Commit to take.",
  },
  GlusterfsVolumeSource: gluster,
  GlusterfsPersistentVolumeSource: { ...gluster, endpointsNamespace: "Namespace of the Endpoints object." },
  ISCSIVolumeSource: iscsi,
  ISCSIPersistentVolumeSource: iscsi,
  NFSVolumeSource: {
    path: "Path at the server.",
    readOnly,
    server: "Name or address of the server.",
  },
  PhotonPersistentDiskVolumeSource: { fsType, pdID: "Id of the disk." },
  PortworxVolumeSource: { fsType, readOnly, volumeID: "Id of the volume." },
  QuobyteVolumeSource: {
    group: "Group that files belong to.",
    readOnly,
    registry: "Addresses of the registries.",
    tenant: "Tenant at the vendor.",
    user: "User that files belong to.",
    volume: "Name of the volume.",
  },
  RBDVolumeSource: cephDisk,
  RBDPersistentVolumeSource: cephDisk,
  ScaleIOVolumeSource: scaleIo,
  ScaleIOPersistentVolumeSource: scaleIo,
  StorageOSVolumeSource: storageOs,
  StorageOSPersistentVolumeSource: storageOs,
  VsphereVirtualDiskVolumeSource: {
    fsType,
    storagePolicyID: "Id of the storage policy.",
    storagePolicyName: "Name of the storage policy.",
    volumePath: "Path of the disk.",
  },
});
