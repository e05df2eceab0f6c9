import { type Descriptions, inPackage } from "./shared.ts";

const core: Descriptions = inPackage("io.k8s.api.core.v1", {
  Service: { "": "A name for pods; the router sends requests for it to those that are ready." },
  ServiceSpec: {
    "": "Which pods a Service means, and how it is reached: over HTTP as <service>.<namespace>.localhost at the traffic port.",
    selector: "Labels of the pods; without any, write EndpointSlices yourself.",
    ports: "Ports of the Service; the router takes the one called http, else the first TCP one.",
    type: "ClusterIP, NodePort, LoadBalancer or ExternalName. The router serves all but the last in the same way.",
    clusterIP: "Address of the Service, or None for a headless one. Nothing routes to it here: use the name.",
    clusterIPs: "All addresses of the Service. Nothing routes to them here: use the name.",
    externalName: "Name that an ExternalName stands for. Recorded and without effect: nobody resolves it.",
    externalIPs: "Further addresses. Recorded and without effect.",
    externalTrafficPolicy: "Cluster or Local. Recorded and without effect: there is one node.",
    internalTrafficPolicy: "Cluster or Local. Recorded and without effect: there is one node.",
    trafficDistribution: "Which endpoints are preferred. Recorded and without effect.",
    sessionAffinity: "ClientIP or None. Recorded and without effect: every request may go to another pod.",
    sessionAffinityConfig: "How long a client stays with a pod. Recorded and without effect.",
    publishNotReadyAddresses: "True: pods that are not ready get requests too.",
    ipFamilies: "IPv4 or IPv6. Recorded; pods have IPv4 addresses.",
    ipFamilyPolicy: "How many families. Recorded; pods have IPv4 addresses.",
    allocateLoadBalancerNodePorts: "Whether a LoadBalancer has node ports too. Recorded and without effect.",
    loadBalancerClass: "Which load balancer is meant. Recorded and without effect: it is the router.",
    loadBalancerIP: "Address that the load balancer should have. Recorded and without effect.",
    loadBalancerSourceRanges: "Clients that may come in. Recorded and not enforced.",
    healthCheckNodePort: "Port at which nodes tell of themselves. Recorded; nothing listens on it.",
  },
  ServicePort: {
    "": "A port of a Service.",
    name: "Name of the port; needed when there are several.",
    port: "Number of the port.",
    targetPort: "Number or name of the port in the pods; the same number when nothing is said.",
    protocol: "TCP, UDP or SCTP; TCP when nothing is said. The router serves HTTP over TCP only.",
    appProtocol: "What is spoken on it. Recorded and told in EndpointSlices.",
    nodePort: "Port of the node. A number is given and recorded; nothing listens on it.",
  },
  SessionAffinityConfig: { clientIP: "By address." },
  ClientIPConfig: {
    "": "How long a client stays with a pod. Recorded and without effect.",
    timeoutSeconds: "How long.",
  },
  ServiceStatus: {
    "": "What a Service is like now.",
    conditions: "Answers about it.",
    loadBalancer: "Where a LoadBalancer is reached: its name at the router.",
  },
  LoadBalancerStatus: { "": "Where a load balancer is reached.", ingress: "Its addresses and names." },
  LoadBalancerIngress: {
    "": "An address or name of a load balancer.",
    hostname: "The name.",
    ip: "The address.",
    ipMode: "How the address is treated; not set here.",
    ports: "What became of its ports; not set here.",
  },
  PortStatus: {
    error: "What went wrong.",
    port: "The number.",
    protocol: "TCP, UDP or SCTP.",
  },
});

const discovery: Descriptions = inPackage("io.k8s.api.discovery.v1", {
  EndpointSlice: {
    "": "Addresses behind a Service; the label kubernetes.io/service-name says which.",
    addressType: "IPv4, IPv6 or FQDN.",
    endpoints: "The addresses; up to a hundred in those made here.",
    ports: "Ports that all of them have.",
  },
  Endpoint: {
    "": "A pod, or something else that takes requests.",
    addresses: "Its addresses.",
    conditions: "Whether it takes requests.",
    deprecatedTopology: "No longer used.",
    hints: "Where it should be preferred. Recorded and without effect.",
    hostname: "Name of the pod below a headless Service.",
    nodeName: "Node that it is on.",
    targetRef: "The pod.",
    zone: "Zone that it is in; not set here.",
  },
  EndpointConditions: {
    ready: "Whether it is ready and not ending.",
    serving: "Whether it is ready, ending or not.",
    terminating: "Whether it is ending.",
  },
  EndpointHints: {
    forNodes: "On these nodes.",
    forZones: "In these zones.",
  },
  ForNode: { "": "A node.", name: "Its name." },
  ForZone: { "": "A zone.", name: "Its name." },
  EndpointPort: {
    "": "A port behind a Service.",
    appProtocol: "What is spoken on it.",
    name: "Name of the Service's port.",
    port: "Number of the port.",
    protocol: "TCP, UDP or SCTP.",
  },
});

const networking: Descriptions = inPackage("io.k8s.api.networking.v1", {
  Ingress: { "": "Which requests that come in from outside go to which Service, by host and path." },
  IngressSpec: {
    "": "Rules of an Ingress.",
    defaultBackend: "Where requests go that no rule takes.",
    ingressClassName: "Who should serve it. Recorded: the router serves every Ingress.",
    rules: "Hosts and paths.",
    tls: "Certificates. Recorded and without effect: the router speaks plain HTTP.",
  },
  IngressRule: {
    "": "Paths of a host.",
    host: "Name that requests ask for; *.example.org takes one label more. All names when nothing is said.",
    http: "The paths.",
  },
  HTTPIngressRuleValue: { paths: "The paths; the longest that fits is taken." },
  HTTPIngressPath: {
    "": "A path and where it goes.",
    backend: "Where requests go.",
    path: "The path, beginning with /.",
    pathType: "Exact, Prefix by whole parts, or ImplementationSpecific, which is Prefix here.",
  },
  IngressBackend: {
    resource: "An object other than a Service. Recorded; requests are not led there.",
    service: "The Service.",
  },
  IngressServiceBackend: {
    "": "It is one of the same namespace.",
    name: "Name of the Service.",
    port: "Its port, by name or by number.",
  },
  ServiceBackendPort: { "": "A port of a Service; one of these.", name: "Its name.", number: "Its number." },
  IngressTLS: {
    hosts: "Names that it is for.",
    secretName: "Secret with certificate and key.",
  },
  IngressStatus: { "": "What an Ingress is like now.", loadBalancer: "Where it is served, once every router has it." },
  IngressLoadBalancerStatus: { ingress: "Addresses and names." },
  IngressLoadBalancerIngress: {
    "": "An address or name at which an Ingress is served.",
    hostname: "The name.",
    ip: "The address.",
    ports: "What became of its ports; not set here.",
  },
  IngressPortStatus: {
    error: "What went wrong.",
    port: "The number.",
    protocol: "TCP, UDP or SCTP.",
  },
  IngressClass: { "": "Who serves Ingresses that name it. Recorded: the router serves every Ingress." },
  IngressClassSpec: {
    "": "A server of Ingresses. Recorded and without effect.",
    controller: "Name of the controller.",
    parameters: "Object with its settings.",
  },
  IngressClassParametersReference: {
    apiGroup: "Group of its kind.",
    kind: "Its kind.",
    name: "Its name.",
    namespace: "Its namespace.",
    scope: "Cluster or Namespace.",
  },
  NetworkPolicy: { "": "Who may speak with which pods. Recorded and not enforced: every pod can be reached." },
  NetworkPolicySpec: {
    "": "What a policy allows. Recorded and not enforced.",
    egress: "Where the pods may go.",
    ingress: "Who may come to the pods.",
    podSelector: "The pods, by their labels.",
    policyTypes: "Which ways are limited: Ingress, Egress.",
  },
  NetworkPolicyIngressRule: { "": "Not enforced.", from: "From where.", ports: "To which ports." },
  NetworkPolicyEgressRule: { "": "Not enforced.", ports: "To which ports.", to: "To where." },
  NetworkPolicyPeer: {
    "": "The other side.",
    ipBlock: "A range of addresses.",
    namespaceSelector: "Namespaces, by their labels.",
    podSelector: "Pods, by their labels.",
  },
  NetworkPolicyPort: {
    "": "A port, or a range of them.",
    endPort: "Last port of a range.",
    port: "Number or name of the port.",
    protocol: "TCP, UDP or SCTP.",
  },
  IPBlock: { cidr: "The range.", except: "Ranges within it that are left out." },
});

/** Services, what is behind them, and what leads to them. */
export const serviceDescriptions: Descriptions = { ...core, ...discovery, ...networking };
