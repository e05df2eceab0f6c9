const streamSubresources = ["exec", "attach", "portforward"] as const;

/** Of pods: what is answered with streams. */
export type StreamSubresource = (typeof streamSubresources)[number];

export function isStreamSubresource(name: string | undefined): name is StreamSubresource {
  return streamSubresources.some((known) => known === name);
}
