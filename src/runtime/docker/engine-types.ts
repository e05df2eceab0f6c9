/** The parts of the Engine API's objects that are used here. */

export interface EngineContainer {
  readonly Id: string;
  readonly Name: string;
  readonly State: {
    readonly Status?: string;
    readonly Running: boolean;
    readonly Pid?: number;
    readonly ExitCode: number;
    readonly OOMKilled?: boolean;
    readonly Error?: string;
    readonly StartedAt: string;
    readonly FinishedAt: string;
  };
  readonly Config: {
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly StopSignal?: string | number;
    readonly Tty?: boolean;
    readonly OpenStdin?: boolean;
  };
  readonly NetworkSettings: {
    readonly IPAddress?: string;
    readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string }>> | null;
    readonly Ports?: Readonly<Record<string, readonly { readonly HostPort?: string }[] | null>> | null;
  };
}

export interface EngineListed {
  readonly Id: string;
  readonly State: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

export interface EngineImage {
  readonly Id: string;
  readonly RepoDigests?: readonly string[] | null;
  readonly Config?: { readonly User?: string; readonly Entrypoint?: unknown; readonly Cmd?: unknown } | null;
}

export interface EngineInfo {
  readonly OSType?: string;
  readonly OperatingSystem?: string;
  readonly SecurityOptions?: readonly string[] | null;
  readonly Rootless?: boolean;
  readonly Name?: string;
  readonly ServerVersion?: string;
}

export interface EngineStats {
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: { readonly usage?: number; readonly stats?: Readonly<Record<string, number>> };
}

/** Podman has both forms, Docker the newer. */
export interface EngineEvent {
  readonly Action?: string;
  readonly status?: string;
  readonly id?: string;
  readonly Actor?: { readonly ID?: string };
}
