import { matchesLabels, type Pod, type Service } from "#api";
import type { Informer, Request } from "#controller";

/** Names the Services that select the pod. */
export function selectingServices(services: Informer<Service>): (pod: Pod) => readonly Request[] {
  return ({ metadata }) => {
    const { namespace = "", labels } = metadata;
    return services
      .list(namespace)
      .filter((service) => matchesLabels(service.spec.selector, labels))
      .map((service) => ({ namespace, name: service.metadata.name }));
  };
}
