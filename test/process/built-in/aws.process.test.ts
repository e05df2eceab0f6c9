/**
 * `aws-actions/configure-aws-credentials` and `amazon-ecr-login`: against a server of ours that answers as AWS does and
 * remembers what it was asked, and against moto where that is on the machine.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import {
  hostPath,
  logOf,
  startBuiltInJobs,
  wholeLog,
  type BuiltInJobs,
  type JobChanges,
} from "../../support/built-in-jobs.ts";

interface Asked {
  readonly action: string;
  readonly parameters: URLSearchParams;
  /** Access key of the signature; empty when there is none. */
  readonly key: string;
}

const asked: Asked[] = [];
/** Answers for the next calls, in place of the usual ones. */
const troubles: { status: number; code: string; message: string }[] = [];
let jobs: BuiltInJobs;
const aws = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    const key = /Credential=([^/]+)\//.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const target = String(request.headers["x-amz-target"] ?? "");
    const parameters = new URLSearchParams(target === "" ? body : "");
    asked.push({ action: target || (parameters.get("Action") ?? ""), parameters, key });
    const trouble = troubles.shift();
    if (trouble !== undefined) {
      const { status, code, message } = trouble;
      response
        .writeHead(status)
        .end(`<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`);
    } else if (target !== "") response.end(JSON.stringify({ authorizationData: ecrData(target, body) }));
    else response.end(stsAnswer(parameters.get("Action") ?? "", key));
  });
});

function stsAnswer(action: string, key: string): string {
  if (action === "GetCallerIdentity") {
    return `<R><Account>${key.startsWith("ASIA") ? "222222222222" : "111111111111"}</Account><Arn>arn:aws:iam::1:user/${key}</Arn></R>`;
  }
  return "<R><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role-secret-1</SecretAccessKey><SessionToken>role-session-1</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration><AssumedRoleId>AROA:GitHubActions</AssumedRoleId></R>";
}

function ecrData(target: string, body: string): unknown {
  const authorizationToken = Buffer.from("AWS:ecr-password-1").toString("base64");
  if (target.startsWith("Spencer")) return { authorizationToken };
  const { registryIds = ["111111111111"] } = JSON.parse(body) as { registryIds?: string[] };
  return registryIds.map((id) => ({
    authorizationToken,
    proxyEndpoint: `https://${id}.dkr.ecr.eu-west-1.amazonaws.com`,
  }));
}

before(async () => {
  aws.listen(0, "127.0.0.1");
  await once(aws, "listening");
  jobs = await startBuiltInJobs({
    async routes(app) {
      await Promise.resolve();
      app.get<{ Querystring: { audience: string } }>("/identity", ({ query, headers }) => ({
        value: `jwt-for-${query.audience}-${headers.authorization === "Bearer id-token-1" ? "job" : "nobody"}`,
      }));
    },
  });
});
after(async () => {
  await jobs[Symbol.asyncDispose]();
  aws.close();
});

const configure = (inputs: Readonly<Record<string, string>>) => ({
  id: "aws",
  name: "aws",
  uses: "aws-actions/configure-aws-credentials@v6",
  with: { "aws-region": "eu-west-1", ...inputs },
  env: { AWS_ENDPOINT_URL: `http://127.0.0.1:${(aws.address() as AddressInfo).port}` },
});
const keys = { "aws-access-key-id": "AKIAUSER", "aws-secret-access-key": "user-secret-1" };
const identity = (): JobChanges => ({
  services: {
    ...({} as NonNullable<JobChanges["services"]>),
    idTokenRequestUrl: `${jobs.url}/identity?api-version=2.0`,
    idTokenRequestToken: "id-token-1",
  },
});
const show = {
  name: "show",
  run: 'env | grep ^AWS_ | sort | sed "s/secret/s_/"; echo "${{ toJSON(steps.aws.outputs) }}"',
};

test("access keys are proven to work, exported, masked, and gone at the end", async () => {
  asked.length = 0;
  const record = await jobs.run([
    configure({ ...keys, "mask-aws-account-id": "true" }),
    {
      name: "show",
      run: 'env | grep ^AWS_ | sort; echo "$AWS_SECRET_ACCESS_KEY" | tr 1 2; echo "account ${{ steps.aws.outputs.aws-account-id }}"',
    },
  ]);
  equal(record.completed?.conclusion, "success", wholeLog(record));
  deepEqual(
    asked.map(({ action, key }) => [action, key]),
    [["GetCallerIdentity", "AKIAUSER"]],
  );
  match(
    logOf(record, "show"),
    /AWS_ACCESS_KEY_ID=\*\*\*\nAWS_DEFAULT_REGION=eu-west-1\nAWS_REGION=eu-west-1\nAWS_SECRET_ACCESS_KEY=\*\*\*\nuser-secret-2\naccount \*\*\*$/,
  );
  ok(!wholeLog(record).includes("user-secret-1"));
});

test("a role is taken with keys, tagged with what the job is for, and its credentials replace theirs", async () => {
  asked.length = 0;
  const record = await jobs.run(
    [
      configure({
        ...keys,
        "role-to-assume": "deployer",
        "role-external-id": "x1",
        "transitive-tag-keys": "Repository\nNope",
        "custom-tags": '{"Team":"core"}',
        "output-credentials": "true",
      }),
      show,
    ],
    { github: { workflow: "CI (fast)", actor: "ada" } },
  );
  equal(record.completed?.conclusion, "success", wholeLog(record));
  deepEqual(
    asked.map(({ action, key }) => [action, key]),
    [
      ["GetCallerIdentity", "AKIAUSER"],
      ["AssumeRole", "AKIAUSER"],
      ["GetCallerIdentity", "ASIAROLE"],
    ],
  );
  const sent = Object.fromEntries(asked[1]?.parameters ?? []);
  equal(sent["RoleArn"], "arn:aws:iam::111111111111:role/deployer");
  equal(sent["ExternalId"], "x1");
  equal(sent["RoleSessionName"], "GitHubActions");
  equal(sent["DurationSeconds"], "3600");
  const tags = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [
      sent[`Tags.member.${index + 1}.Key`],
      sent[`Tags.member.${index + 1}.Value`],
    ]),
  );
  deepEqual(
    [tags["GitHub"], tags["Repository"], tags["Workflow"], tags["Actor"], tags["Team"]],
    ["Actions", "acme/shop", "CI _fast_", "ada", "core"],
  );
  deepEqual([sent["TransitiveTagKeys.member.1"], sent["TransitiveTagKeys.member.2"]], ["Repository", undefined]);
  const outputs = logOf(record, "show").replaceAll(/\s/g, "");
  for (const name of ["aws-access-key-id", "aws-secret-access-key", "aws-session-token"])
    ok(outputs.includes(`${name}:***`), outputs);
  ok(
    outputs.includes("aws-expiration:2030-01-01T00:00:00Z") && outputs.includes("aws-account-id:222222222222"),
    outputs,
  );
});

test("a role is taken with the job's identity, without any key", async () => {
  asked.length = 0;
  const record = await jobs.run(
    [
      configure({
        "role-to-assume": "arn:aws:iam::3:role/ci",
        audience: "mine",
        "allowed-account-ids": "222222222222",
      }),
      show,
    ],
    identity(),
  );
  equal(record.completed?.conclusion, "success", wholeLog(record));
  const [assume] = asked;
  deepEqual(
    [
      assume?.action,
      assume?.key,
      assume?.parameters.get("WebIdentityToken"),
      assume?.parameters.get("Tags.member.1.Key"),
    ],
    ["AssumeRoleWithWebIdentity", "", "jwt-for-mine-job", null],
  );
  match(logOf(record, "aws"), /Assuming role with OIDC\nAuthenticated as assumedRoleId AROA:GitHubActions$/);
});

test("roles are chained, tokens come from files, profiles are written, and a busy AWS is asked again", async () => {
  asked.length = 0;
  troubles.push({ status: 400, code: "Throttling", message: "Rate exceeded" });
  const record = await jobs.run([
    configure(keys),
    {
      ...configure({ "role-to-assume": "next", "role-chaining": "true", "role-skip-session-tagging": "true" }),
      id: "two",
      name: "two",
    },
    { run: "echo file-token > token.jwt" },
    {
      ...configure({
        "role-to-assume": "arn:aws:iam::3:role/file",
        "web-identity-token-file": "token.jwt",
        "aws-profile": "web",
      }),
      id: "three",
      name: "three",
    },
    {
      name: "profile",
      run: "cat ~/.aws/config; stat -c %a ~/.aws/credentials; grep -c aws_session_token ~/.aws/credentials",
    },
  ]);
  equal(record.completed?.conclusion, "success", wholeLog(record));
  match(
    logOf(record, "aws"),
    /Retry validateCredentials: attempt 1 of 12 failed: .*Rate exceeded\. Retrying after \d+ms\./,
  );
  const assumed = asked.filter(({ action }) => action.startsWith("AssumeRole"));
  deepEqual(
    assumed.map(({ action, key, parameters }) => [
      action,
      key,
      parameters.get("Tags.member.1.Key"),
      parameters.get("WebIdentityToken")?.trim(),
    ]),
    [
      ["AssumeRole", "AKIAUSER", null, undefined],
      ["AssumeRoleWithWebIdentity", "", null, "file-token"],
    ],
  );
  match(logOf(record, "profile"), /\[profile web\]\nregion = eu-west-1\n600\n1$/);
});

test("what AWS refuses is said in its words, once, and wrong inputs before AWS is asked", async () => {
  asked.length = 0;
  troubles.push({
    status: 403,
    code: "AccessDenied",
    message: "Not authorized to perform sts:AssumeRoleWithWebIdentity",
  });
  const denied = await jobs.run([configure({ "role-to-assume": "arn:aws:iam::3:role/ci" })], identity());
  match(
    logOf(denied, "aws"),
    /##\[error\]Could not assume role with OIDC: Not authorized to perform sts:AssumeRoleWithWebIdentity$/,
  );
  equal(asked.length, 1);
  const cases: readonly [Readonly<Record<string, string>>, RegExp][] = [
    [{ "aws-region": "eu west" }, /Region is not valid: eu west/],
    [{ "aws-access-key-id": "AKIA" }, /'aws-secret-access-key' must be provided if 'aws-access-key-id' is provided/],
    [{ ...keys, "role-session-name": "a b" }, /Role session name is not valid: 'a b'/],
    [
      {},
      /Credentials could not be loaded, please check your action inputs: Could not load credentials from any providers/,
    ],
    [
      { "role-to-assume": "arn:aws:iam::3:role/ci" },
      /Did you mean to set the `id-token` permission\?[^]*Credentials could not be loaded/,
    ],
  ];
  const record = await jobs.run(
    cases.map(([inputs], index) => ({
      ...configure(inputs),
      id: `c${index}`,
      name: `case ${index}`,
      continueOnError: true,
    })),
  );
  for (const [index, [, message]] of cases.entries()) match(logOf(record, `case ${index}`), message);
  const other = await jobs.run([configure({ ...keys, "allowed-account-ids": "999999999999" })]);
  match(
    logOf(other, "aws"),
    /The account ID of the provided credentials \(111111111111\) does not match any of the expected account IDs: 999999999999/,
  );
});

test("ECR: the job is logged in to every registry asked for, and out again; passwords are masked unless told not to", async () => {
  const ecr = (inputs: Readonly<Record<string, string>>, id: string) => ({
    id,
    name: id,
    uses: "aws-actions/amazon-ecr-login@v2",
    with: inputs,
    env: configure({}).env,
  });
  const record = await jobs.run([
    configure(keys),
    ecr({}, "one"),
    ecr({ registries: "111111111111,222222222222", "mask-password": "false" }, "two"),
    ecr({ "registry-type": "public" }, "three"),
    {
      name: "show",
      run: 'cat "$DOCKER_CONFIG/config.json"; echo "registry ${{ steps.one.outputs.registry }} ${{ steps.two.outputs.registry }} ${{ steps.three.outputs.registry }} ${{ steps.two.outputs.docker_username_222222222222_dkr_ecr_eu_west_1_amazonaws_com }}"',
    },
  ]);
  equal(record.completed?.conclusion, "success", wholeLog(record));
  const shown = logOf(record, "show");
  for (const host of [
    "111111111111.dkr.ecr.eu-west-1.amazonaws.com",
    "222222222222.dkr.ecr.eu-west-1.amazonaws.com",
    "public.ecr.aws",
  ])
    ok(shown.includes(`"${host}"`), shown);
  match(shown, /registry 111111111111\.dkr\.ecr\.eu-west-1\.amazonaws\.com\s+public\.ecr\.aws AWS$/);
  match(logOf(record, "two"), /##\[warning\]Your docker password is not masked/);
  match(logOf(record, "Post three"), /Logging out of registry public\.ecr\.aws/);
  const without = await jobs.run([ecr({}, "none")]);
  match(logOf(without, "none"), /##\[error\]/);
});

test("docker/login-action asks AWS for the passwords of its registries, with its own keys or those of the job", async () => {
  const { env } = configure({});
  const hosts = ["111111111111.dkr.ecr.eu-west-1.amazonaws.com", "public.ecr.aws"];
  const record = await jobs.run([
    {
      name: "one",
      uses: "docker/login-action@v4",
      with: { registry: `https://${hosts[0]}`, username: "AKIAUSER", password: "user-secret-1" },
      env,
    },
    configure(keys),
    {
      name: "both",
      uses: "docker/login-action@v4",
      with: { "registry-auth": hosts.map((host) => `- { registry: ${host}, ecr: ${host === hosts[0]} }`).join("\n") },
      env: { ...env, AWS_ACCOUNT_IDS: "222222222222" },
    },
    { name: "show", run: 'cat "$DOCKER_CONFIG/config.json"' },
  ]);
  equal(record.completed?.conclusion, "success", wholeLog(record));
  for (const host of [...hosts, "222222222222.dkr.ecr.eu-west-1.amazonaws.com"]) {
    ok(logOf(record, "show").includes(`"${host}"`), logOf(record, "show"));
  }
  match(logOf(record, "one"), /AWS ECR detected with eu-west-1 region\nLogging into 111111111111\.dkr/);
  match(logOf(record, "Post one"), /Logged out of 111111111111\.dkr/);
  equal(logOf(record, "Post both").match(/Logged out of /g)?.length, 3);
  const wrong = await jobs.run([
    { name: "mixed", uses: "docker/login-action@v4", with: { "registry-auth": "- registry: x", username: "ada" } },
    { name: "none", if: "always()", uses: "docker/login-action@v4", with: { "registry-auth": "[]" } },
    { name: "text", if: "always()", uses: "docker/login-action@v4", with: { "registry-auth": "ghcr.io" } },
  ]);
  match(logOf(wrong, "mixed"), /##\[error\]Cannot use registry-auth with other inputs$/);
  match(logOf(wrong, "none"), /##\[error\]No registry to login$/);
  match(
    logOf(wrong, "text"),
    /##\[error\]Input "registry-auth" must be a YAML list of registry, username and password/,
  );
});

const moto = spawnSync("moto_server", ["--version"], { stdio: "ignore" }).error === undefined;

describe("Given moto, an AWS of somebody else", { skip: moto ? false : "moto_server is not on this machine" }, () => {
  test("keys, a role and a login are what it takes and gives", async () => {
    const server = spawn("moto_server", ["-H", "127.0.0.1", "-p", "0"], {
      env: { PATH: hostPath, MOTO_IAM_LOAD_MANAGED_POLICIES: "false" },
    });
    try {
      let said = "";
      const url = await new Promise<string>((resolve) => {
        server.stderr.on("data", (chunk: Buffer) => {
          said += chunk.toString();
          const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
          if (found !== undefined) resolve(found);
        });
      });
      const env = { AWS_ENDPOINT_URL: url };
      const record = await jobs.run([
        {
          ...configure({
            "aws-access-key-id": "AKIAIOSFODNN7EXAMPLE",
            "aws-secret-access-key": "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
            "role-to-assume": "deployer",
          }),
          env,
        },
        { id: "ecr", name: "ecr", uses: "aws-actions/amazon-ecr-login@v2", env },
        { name: "show", run: 'echo "${{ steps.aws.outputs.authenticated-arn }} ${{ steps.ecr.outputs.registry }}"' },
      ]);
      equal(record.completed?.conclusion, "success", wholeLog(record));
      match(
        logOf(record, "show"),
        /arn:aws:sts::123456789012:assumed-role\/deployer\/GitHubActions 123456789012\.dkr\.ecr\.eu-west-1\.amazonaws\.com$/,
      );
    } finally {
      server.kill("SIGTERM");
      await once(server, "exit");
    }
  });
});
