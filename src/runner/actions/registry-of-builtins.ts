/** The actions we bring ourselves, for work without a network. */
import type { BuiltinAction } from "./builtin-action.ts";
import { awsCredentials } from "./builtin/aws-credentials.ts";
import { cache, cacheRestore, cacheSave } from "./builtin/cache.ts";
import { checkout } from "./builtin/checkout.ts";
import { codecov } from "./builtin/codecov.ts";
import { codeqlRefusals, uploadSarif } from "./builtin/codeql.ts";
import { dockerBuildPush } from "./builtin/docker-build-push.ts";
import { dockerLogin } from "./builtin/docker-login.ts";
import { dockerMetadata } from "./builtin/docker-metadata.ts";
import { ecrLogin } from "./builtin/ecr-login.ts";
import { downloadArtifact } from "./builtin/download-artifact.ts";
import { githubScript } from "./builtin/github-script.ts";
import { setupBuildx, setupQemu } from "./builtin/noop.ts";
import { setupGo } from "./builtin/setup-go.ts";
import { setupJava } from "./builtin/setup-java.ts";
import { setupNode } from "./builtin/setup-node.ts";
import { setupPython } from "./builtin/setup-python.ts";
import { trivy } from "./builtin/trivy.ts";
import { mergeArtifacts, uploadArtifactAction } from "./builtin/upload-artifact.ts";

const actions: readonly BuiltinAction[] = [
  checkout,
  cache,
  cacheRestore,
  cacheSave,
  uploadArtifactAction,
  mergeArtifacts,
  downloadArtifact,
  setupNode,
  setupPython,
  setupGo,
  setupJava,
  githubScript,
  codecov,
  uploadSarif,
  ...codeqlRefusals,
  awsCredentials,
  ecrLogin,
  trivy,
  dockerLogin,
  dockerMetadata,
  dockerBuildPush,
  setupBuildx,
  setupQemu,
];

/** @param name `owner/repository`, perhaps with a path inside it */
export function isBuiltIn(name: string): boolean {
  return actions.some((action) => action.name === name.toLowerCase());
}

/** By `owner/repository` at any version; a path inside the repository is another action. */
export function findBuiltin(uses: string): BuiltinAction | undefined {
  const [name = ""] = uses.split("@");
  return actions.find((action) => action.name === name.toLowerCase());
}
