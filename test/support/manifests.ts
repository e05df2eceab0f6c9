/** Objects that several stories need, as the YAML a person would write. */

interface RolloutOptions {
  readonly name: string;
  readonly image: string;
  /** The canary's steps as YAML flow: `[{ setWeight: 20 }, { pause: {} }]`. */
  readonly steps: string;
  readonly replicas?: number;
}

/** A Rollout, with a Service of the same name in front. */
export function rolloutWithService({ name, image, steps, replicas = 1 }: RolloutOptions): string {
  return `apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: { name: ${name} }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - name: ${name}
          image: ${image}
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /ready, port: http }, periodSeconds: 1 }
  strategy:
    canary:
      maxSurge: 1
      maxUnavailable: 0
      steps: ${steps}
---
${service(name)}`;
}

export function service(name: string): string {
  return `apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  selector: { app: ${name} }
  ports: [{ name: http, port: 80, targetPort: http }]
`;
}

export function deployment(name: string, image: string, replicas = 1): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - name: ${name}
          image: ${image}
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /ready, port: http }, periodSeconds: 1 }
`;
}

/** An Application of the folder `path` of one of our repositories. */
export function application(options: {
  readonly name: string;
  readonly repoURL: string;
  readonly path?: string;
  readonly namespace: string;
  /** YAML flow of `spec.syncPolicy`. */
  readonly syncPolicy: string;
}): string {
  const { name, repoURL, path = ".", namespace, syncPolicy } = options;
  return `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: ${name}, namespace: argocd }
spec:
  project: default
  source: { repoURL: "${repoURL}", targetRevision: main, path: ${path} }
  destination: { server: https://kubernetes.default.svc, namespace: ${namespace} }
  syncPolicy: ${syncPolicy}
`;
}
