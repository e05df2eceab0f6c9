/** How a container's processes start: what a plain launch and an isolated one have in common. */
export interface PreparedLaunch {
  readonly argv: readonly string[];
  /** On this machine. */
  readonly workingDir: string;
  /** The program's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** See `ContainerProcess`. */
  readonly outerEnvironment?: Readonly<Record<string, string>>;
}

/** A command beside a container. */
export interface PreparedCommand {
  readonly argv: readonly string[];
  readonly workingDir: string;
  readonly environment: Readonly<Record<string, string>>;
}
