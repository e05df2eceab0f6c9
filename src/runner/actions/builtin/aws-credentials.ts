/** `aws-actions/configure-aws-credentials`. */
import { StepFailure } from "../../errors.ts";
import { backoffDelayMs, withDeadline } from "#lib";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { assumeRole, type AssumedRole, type RoleProof } from "../aws/assume-role.ts";
import { ambientCredentials, AwsFailure, awsPlace, callSts, type AwsPlace } from "../aws/aws-client.ts";
import { awsFlag, checkFlags, awsInputs, awsInputVersions, withVariables } from "../aws/aws-inputs.ts";
import { writeProfile } from "../aws/profile-file.ts";
import type { AwsCredentials } from "../aws/sign-request.ts";

export const awsCredentials: BuiltinAction = {
  name: "aws-actions/configure-aws-credentials",
  inputs: awsInputs,
  versions: awsInputVersions,
  sensitive: ["aws-access-key-id", "aws-secret-access-key", "aws-session-token"],
  postIf: "env.AWS_SKIP_CLEANUP_STEP != 'true'",
  main: async (call) => await withinTime(withVariables(call), configure),
  async post(call) {
    await Promise.resolve();
    if (!toEnvironment(call)) return;
    for (const name of [
      "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_SESSION_TOKEN",
      "AWS_DEFAULT_REGION",
      "AWS_REGION",
    ]) {
      call.exportVariable(name, "");
    }
  },
};

/** `action-timeout-s`: not one second more, whatever is still tried again. */
async function withinTime(call: ActionCall, work: (call: ActionCall) => Promise<void>): Promise<void> {
  const seconds = Number.parseInt(call.text("action-timeout-s"), 10) || 0;
  if (seconds <= 0) return await work(call);
  call.log(`Setting a global timeout of ${seconds} seconds for the action`);
  const stop = withDeadline(call.step.stop, seconds * 1000);
  try {
    await work(call.stoppedBy(stop));
  } catch (error) {
    if (!stop.aborted || call.step.stop.aborted) throw error;
    throw new StepFailure(`Action timed out after ${seconds} seconds`, error);
  }
}

async function configure(call: ActionCall): Promise<void> {
  if (call.text("http-proxy") !== "") call.warn('"http-proxy" has no effect here: AWS is called directly');
  checkFlags(call);
  const given = call.text("aws-access-key-id") !== "" || call.text("web-identity-token-file") !== "";
  if (awsFlag(call, "force-skip-oidc") && call.text("role-to-assume") !== "" && !given) {
    throw new StepFailure(
      "If 'force-skip-oidc' is true and 'role-to-assume' is set, 'aws-access-key-id' or 'web-identity-token-file' must be set",
    );
  }
  const setup = readSetup(call);
  if (awsFlag(call, "unset-current-credentials")) unset(call, setup);
  if (setup.toEnvironment) {
    call.exportVariable("AWS_DEFAULT_REGION", setup.place.region);
    call.exportVariable("AWS_REGION", setup.place.region);
  }
  if (awsFlag(call, "use-existing-credentials") && (await works(call, setup.place))) {
    call.log("Pre-existing credentials are valid. No need to generate new ones.");
    return;
  }
  const source = await sourceCredentials(call, setup, proofOf(call));
  if (call.text("role-to-assume") === "") {
    call.log("Proceeding with IAM user credentials");
    if (setup.profile !== "" && setup.toEnvironment) call.exportVariable("AWS_PROFILE", setup.profile);
    return;
  }
  await takeRole(call, setup, source);
}

interface Setup {
  readonly place: AwsPlace;
  readonly profile: string;
  readonly toEnvironment: boolean;
  readonly accounts: readonly string[];
}

type Proof = "keys" | "identity" | "file" | "ambient";

function readSetup(call: ActionCall): Setup {
  const region = call.required("aws-region");
  if (!/^[a-z0-9-]+$/.test(region)) throw new StepFailure(`Region is not valid: ${region}`);
  const session = call.text("role-session-name") || "GitHubActions";
  if (session.length < 2 || session.length > 64 || !/^[\w+=,.@-]*$/.test(session)) {
    throw new StepFailure(
      `Role session name is not valid: '${session}'. Must have 2 to 64 characters and satisfy regular expression pattern: [\\w+=,.@-]*`,
    );
  }
  const profile = call.text("aws-profile");
  return {
    place: awsPlace(call, "sts", region, call.text("sts-endpoint")),
    profile,
    toEnvironment: toEnvironment(call),
    accounts: call.list("allowed-account-ids", true),
  };
}

function toEnvironment(call: ActionCall): boolean {
  return awsFlag(call, "output-env-credentials", call.text("aws-profile") === "");
}

function proofOf(call: ActionCall): Proof {
  if (call.text("aws-access-key-id") !== "") {
    if (call.text("aws-secret-access-key") !== "") return "keys";
    throw new StepFailure("'aws-secret-access-key' must be provided if 'aws-access-key-id' is provided");
  }
  const role = call.text("role-to-assume");
  if (call.text("web-identity-token-file") !== "") return "file";
  if (role === "" || awsFlag(call, "role-chaining")) return "ambient";
  const { idTokenRequestToken } = call.parts.assignment.services;
  if (idTokenRequestToken !== undefined && !awsFlag(call, "force-skip-oidc")) return "identity";
  call.log(
    "It looks like you might be trying to authenticate with OIDC. Did you mean to set the `id-token` permission? If you are not trying to authenticate with OIDC and the action is working successfully, you can ignore this message.",
  );
  return "ambient";
}

function unset(call: ActionCall, setup: Setup): void {
  if (!setup.toEnvironment) return;
  for (const name of [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
  ]) {
    call.exportVariable(name, "");
  }
}

async function works(call: ActionCall, place: AwsPlace): Promise<boolean> {
  const credentials = ambientCredentials(call);
  if (credentials === undefined) return false;
  return await callSts(call, place, { Action: "GetCallerIdentity" }, credentials).then(
    () => true,
    () => false,
  );
}

interface Source {
  readonly proof: RoleProof;
  /** Of the keys; undefined when a token is the proof. */
  readonly account: string | undefined;
}

/** The keys to go on with, proven to work, unless a token takes their place. */
async function sourceCredentials(call: ActionCall, setup: Setup, proof: Proof): Promise<Source> {
  if (proof === "identity") return { proof: { kind: "identity" }, account: undefined };
  if (proof === "file") {
    return { proof: { kind: "file", path: call.text("web-identity-token-file") }, account: undefined };
  }
  const credentials = proof === "keys" ? givenKeys(call) : ambientCredentials(call);
  if (credentials === undefined) {
    throw new StepFailure(
      "Credentials could not be loaded, please check your action inputs: Could not load credentials from any providers",
    );
  }
  if (proof === "keys") {
    exportCredentials(call, setup, credentials, "");
    if (setup.profile !== "") await saveProfile(call, setup, credentials, awsFlag(call, "overwrite-aws-profile"));
  }
  const account = await identify(call, setup, credentials, call.text("role-to-assume") === "");
  return { proof: { kind: "keys", credentials }, account };
}

function givenKeys(call: ActionCall): AwsCredentials {
  const sessionToken = call.text("aws-session-token");
  return {
    accessKeyId: call.text("aws-access-key-id"),
    secretAccessKey: call.text("aws-secret-access-key"),
    ...(sessionToken === "" ? {} : { sessionToken }),
  };
}

async function takeRole(call: ActionCall, setup: Setup, source: Source): Promise<void> {
  if (call.text("custom-tags") !== "" && source.proof.kind !== "keys") {
    call.warn(
      "'custom-tags' is set but will be ignored because session tags cannot be applied when using OIDC or web identity token authentication. Tags are controlled by the identity provider token claims in these authentication flows.",
    );
  }
  const role = await assumeRepeatedly(call, setup, source);
  call.log(`Authenticated as assumedRoleId ${role.roleId}`);
  exportCredentials(call, setup, role, role.expiration);
  await identify(call, setup, role, true);
  if (setup.profile === "") return;
  await saveProfile(call, setup, role, call.text("aws-access-key-id") !== "" || awsFlag(call, "overwrite-aws-profile"));
  if (setup.toEnvironment) call.exportVariable("AWS_PROFILE", setup.profile);
}

const how = {
  keys: "with user credentials",
  identity: "with OIDC",
  file: "with web identity token file",
} as const;

async function assumeRepeatedly(call: ActionCall, setup: Setup, { proof, account }: Source): Promise<AssumedRole> {
  const plain = /^[A-Za-z0-9]*$/;
  for (;;) {
    const role = await repeated(call, "AssumeRole", async () => {
      try {
        return await assumeRole(call, setup.place, proof, account);
      } catch (error) {
        if (!(error instanceof AwsFailure)) throw error;
        const message = `Could not assume role ${how[proof.kind]}: ${error.message}`;
        throw new AwsFailure(error.awsCode, message, error.retryable);
      }
    });
    for (const secret of [role.accessKeyId, role.secretAccessKey, role.sessionToken ?? ""]) call.mask(secret);
    // Some programs cannot bear keys with special characters: asking again gives others.
    if (!awsFlag(call, "special-characters-workaround") || plain.test(role.secretAccessKey)) return role;
    call.step.stop.throwIfAborted();
  }
}

/** Only what may be better the next time is tried again: a refusal stays one. */
async function repeated<T>(call: ActionCall, what: string, once: () => Promise<T>): Promise<T> {
  const persists = awsFlag(call, "special-characters-workaround");
  const most = persists ? 12 : Math.max(1, Number.parseInt(call.text("retry-max-attempts"), 10) || 12);
  const retries = persists || !awsFlag(call, "disable-retry");
  const { clock, ids } = call.parts;
  for (let attempt = 1; ; attempt++) {
    try {
      return await once();
    } catch (error) {
      const again = error instanceof AwsFailure && error.retryable && retries;
      if (!again || attempt >= most) throw error;
      const delay = backoffDelayMs({ initialMs: 50, factor: 2, maxMs: 20_000, jitter: 1 }, attempt - 1, ids.random());
      call.log(
        `Retry ${what}: attempt ${attempt} of ${most} failed: ${error.message}. Retrying after ${Math.floor(delay)}ms.`,
      );
      await clock.sleep(delay, call.step.stop);
    }
  }
}

/** Proves that the credentials work, says whose they are, and answers the account. */
async function identify(call: ActionCall, setup: Setup, credentials: AwsCredentials, final: boolean): Promise<string> {
  const identity = await repeated(call, "validateCredentials", async () => {
    try {
      return await callSts(call, setup.place, { Action: "GetCallerIdentity" }, credentials);
    } catch (error) {
      if (!(error instanceof AwsFailure)) throw error;
      const message = `Credentials could not be loaded, please check your action inputs: ${error.message}`;
      throw new AwsFailure(error.awsCode, message, error.retryable);
    }
  });
  const account = identity("Account");
  const arn = identity("Arn");
  const { accounts } = setup;
  if (final && accounts.length > 0 && !accounts.includes(account)) {
    throw new StepFailure(
      `The account ID of the provided credentials (${account}) does not match any of the expected account IDs: ${accounts.join(", ")}`,
    );
  }
  if (awsFlag(call, "mask-aws-account-id")) {
    call.mask(account);
    call.mask(arn);
  }
  if (setup.toEnvironment) {
    call.setOutput("aws-account-id", account);
    call.setOutput("authenticated-arn", arn);
  }
  return account;
}

function exportCredentials(call: ActionCall, setup: Setup, credentials: AwsCredentials, expiration: string): void {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  for (const secret of [accessKeyId, secretAccessKey, sessionToken ?? ""]) if (secret !== "") call.mask(secret);
  if (setup.toEnvironment) {
    call.exportVariable("AWS_ACCESS_KEY_ID", accessKeyId);
    call.exportVariable("AWS_SECRET_ACCESS_KEY", secretAccessKey);
    if (sessionToken !== undefined) call.exportVariable("AWS_SESSION_TOKEN", sessionToken);
    else if (call.env("AWS_SESSION_TOKEN") !== "") call.exportVariable("AWS_SESSION_TOKEN", "");
  }
  if (!awsFlag(call, "output-credentials")) return;
  call.setOutput("aws-access-key-id", accessKeyId);
  call.setOutput("aws-secret-access-key", secretAccessKey);
  if (sessionToken !== undefined) call.setOutput("aws-session-token", sessionToken);
  if (expiration !== "") call.setOutput("aws-expiration", expiration);
}

async function saveProfile(
  call: ActionCall,
  { profile, place }: Setup,
  credentials: AwsCredentials,
  overwrite: boolean,
): Promise<void> {
  await writeProfile(call, { name: profile, region: place.region, credentials, overwrite });
}
