/** Containers of jobs as bodies of `POST /containers/create`: pure. */
import type { ContainerSpec } from "#workflows";
import { parseContainerOptions } from "./container-options.ts";
import type { Mount } from "./path-map.ts";
import { portRequest } from "./port-mapping.ts";
import { shellWords } from "./shell-words.ts";

export interface ContainerInput {
  /** What the engine knows the image by. */
  readonly image: string;
  /** Its `env` filled in. */
  readonly spec: ContainerSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  /** A network's name, or `container:<id>` to share that of another. */
  readonly network: string;
  /** By which others on the network reach it. */
  readonly alias?: string;
  readonly extraHosts?: readonly string[];
  /** Folder that its programs start in. */
  readonly workdir?: string;
  /** It is to live on until it is removed, whatever its image does. */
  readonly waits?: boolean;
}

type Body = Record<string, unknown>;

/** Throws `StepFailure` for options, ports and commands that cannot be read. */
export function containerRequest(input: ContainerInput): Body {
  const { spec, labels, network, alias } = input;
  const options = parseContainerOptions(spec.options ?? "");
  const { exposed, bindings } = portRequest([...spec.ports, ...options.ports]);
  const volumes = [...spec.volumes, ...options.volumes];
  const env = [...Object.entries(spec.env).map(([name, value]) => `${name}=${value}`), ...options.env];
  const shares = network.startsWith("container:");
  return {
    Image: input.image,
    ...commandOf(input),
    ...(input.workdir === undefined ? {} : { WorkingDir: input.workdir }),
    ...options.config,
    Env: env,
    Labels: { ...(options.config["Labels"] as object | undefined), ...labels },
    ExposedPorts: { ...(options.config["ExposedPorts"] as object | undefined), ...exposed },
    // A path alone is a volume without a name; the engine removes it with the container.
    Volumes: Object.fromEntries(volumes.filter((volume) => !volume.includes(":")).map((volume) => [volume, {}])),
    HostConfig: {
      ...options.hostConfig,
      NetworkMode: network,
      ...(shares ? {} : { PortBindings: bindings }),
      ...(shares ? {} : { ExtraHosts: [...extraHostsOf(options.hostConfig), ...(input.extraHosts ?? [])] }),
      Binds: volumes.filter((volume) => volume.includes(":")),
      Mounts: input.mounts.map(({ source, target, readOnly = false }) => ({
        Type: "bind",
        Source: source,
        Target: target,
        ReadOnly: readOnly,
      })),
    },
    ...(shares
      ? {}
      : { NetworkingConfig: endpoints(network, [...(alias === undefined ? [] : [alias]), ...options.aliases]) }),
  };
}

function commandOf({ spec, waits = false }: ContainerInput): Body {
  const { entrypoint, command } = spec;
  if (waits && entrypoint === undefined && command === undefined)
    return { Entrypoint: ["tail"], Cmd: ["-f", "/dev/null"] };
  return {
    ...(entrypoint === undefined ? {} : { Entrypoint: shellWords(entrypoint) }),
    // With an entrypoint of its own the image's command is not its arguments.
    ...(command === undefined ? (entrypoint === undefined ? {} : { Cmd: [] }) : { Cmd: shellWords(command) }),
  };
}

function extraHostsOf(hostConfig: Body): readonly string[] {
  return (hostConfig["ExtraHosts"] as readonly string[] | undefined) ?? [];
}

function endpoints(network: string, aliases: readonly string[]): Body {
  return { EndpointsConfig: { [network]: { Aliases: aliases } } };
}
