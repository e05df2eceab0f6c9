/** What a Dockerfile says, before variables are replaced (a value may depend on build arguments). */
import type { Location } from "#lib";

export interface Heredoc {
  readonly name: string;
  readonly content: string;
  /** A quoted delimiter (`<<"EOF"`) switches variable replacement off. */
  readonly expand: boolean;
}

/** JSON form has exact words; shell form is one text for the `SHELL`. */
export type CommandForm =
  | { readonly form: "exec"; readonly words: readonly string[] }
  | { readonly form: "shell"; readonly text: string };

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

interface At {
  readonly at: Location;
  /** The instruction on one line, for the image's history. */
  readonly text: string;
}

export interface CopyInstruction extends At {
  readonly kind: "copy" | "add";
  readonly sources: readonly string[];
  readonly heredocs: readonly Heredoc[];
  readonly destination: string;
  readonly from?: string;
  readonly chown?: string;
  readonly chmod?: string;
  readonly exclude: readonly string[];
}

export interface HealthcheckInstruction extends At {
  readonly kind: "healthcheck";
  /** Undefined means `NONE`. */
  readonly test: CommandForm | undefined;
  readonly options: Readonly<Record<string, string>>;
}

export interface ArgInstruction extends At {
  readonly kind: "arg";
  readonly names: readonly { readonly name: string; readonly value?: string }[];
}

export type Instruction =
  | CopyInstruction
  | HealthcheckInstruction
  | ArgInstruction
  | (At & { readonly kind: "run"; readonly command: CommandForm; readonly heredocs: readonly Heredoc[] })
  | (At & { readonly kind: "env" | "label"; readonly pairs: readonly KeyValue[] })
  | (At & { readonly kind: "workdir"; readonly value: string })
  | (At & { readonly kind: "user" | "stopsignal" | "onbuild"; readonly value: string })
  | (At & { readonly kind: "maintainer"; readonly value: string })
  | (At & { readonly kind: "expose" | "volume"; readonly values: readonly string[] })
  | (At & { readonly kind: "cmd" | "entrypoint"; readonly command: CommandForm })
  | (At & { readonly kind: "shell"; readonly words: readonly string[] });

export interface Stage {
  readonly index: number;
  readonly name?: string;
  readonly base: string;
  readonly platform?: string;
  readonly at: Location;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  readonly file: string;
  readonly escape: "\\" | "`";
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
}
