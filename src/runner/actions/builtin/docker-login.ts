/** `docker/login-action`: an account for a registry, kept for this job alone. */
import { ImageError, normalHost } from "#images";
import { StepFailure } from "../../errors.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { writeDockerConfig } from "../docker-login-file.ts";
import { registryClientFor } from "../own-server.ts";

export const dockerLogin: BuiltinAction = {
  name: "docker/login-action",
  inputs: {
    registry: "",
    username: "",
    password: "",
    scope: "",
    ecr: "",
    logout: "true",
    "registry-auth": "",
  },
  sensitive: ["password"],
  main: logIn,
  post: logOut,
};

async function logIn(call: ActionCall): Promise<void> {
  call.flag("logout");
  if (call.text("registry-auth") !== "") {
    throw new StepFailure(
      'Input "registry-auth" of the built-in docker/login-action is not supported: use one step a registry',
    );
  }
  const username = call.text("username");
  const password = call.text("password");
  const host = normalHost(call.text("registry"));
  if (username === "" || password === "") {
    const missing = username !== "" ? "Password" : password !== "" ? "Username" : "Username and password";
    throw new StepFailure(`${missing} required`);
  }
  const { job } = call.step.scope;
  job.parts.masker.add(password);
  const account = { username, password };
  call.log(`Logging into ${host}...`);
  const client = registryClientFor(call, () => account);
  try {
    await client.checkLogin(host, call.step.stop);
  } catch (error) {
    if (error instanceof ImageError) throw new StepFailure(error.message, error);
    throw error;
  }
  job.logins.set(host, account);
  call.step.state.set("host", host);
  await writeDockerConfig(job);
  call.log("Login Succeeded!");
}

async function logOut(call: ActionCall): Promise<void> {
  const host = call.step.state.get("host");
  if (host === undefined || !call.isTrue("logout")) return;
  const { job } = call.step.scope;
  job.logins.delete(host);
  await writeDockerConfig(job);
  call.log(`Logged out of ${host}`);
}
