/** Maven's `settings.xml` and `toolchains.xml`, and the key that signs what it publishes. */
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { readFileIfExists } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";

export interface Toolchain {
  /** As it was asked for. */
  readonly version: string;
  readonly home: string;
}

export async function writeMavenFiles(
  call: ActionCall,
  distribution: string,
  toolchains: readonly Toolchain[],
): Promise<void> {
  const { workspace } = call.parts.folders;
  const folder = resolve(workspace, call.text("settings-path") || join(call.env("HOME"), ".m2"));
  await mkdir(folder, { recursive: true });
  await writeSettings(call, folder);
  const ids = call.list("mvn-toolchain-id");
  const vendor = call.text("mvn-toolchain-vendor") || distribution;
  const entries = toolchains.map((toolchain, index) => ({
    ...toolchain,
    vendor,
    id: ids[index] ?? `${vendor}_${toolchain.version}`,
  }));
  await writeToolchains(call, folder, entries);
  if (call.text("gpg-private-key") !== "") await importKey(call, call.text("gpg-private-key"));
}

async function writeSettings(call: ActionCall, folder: string): Promise<void> {
  const file = join(folder, "settings.xml");
  const id = call.text("server-id");
  call.log(`Creating settings.xml with server-id: ${id}`);
  if ((await readFileIfExists(file)) !== undefined && !call.isTrue("overwrite-settings", true)) {
    call.log(`Skipping generation ${file} because file already exists and overwriting is not required`);
    return;
  }
  const user = call.text("server-username-env-var") || call.text("server-username");
  const password = call.text("server-password-env-var") || call.text("server-password");
  const signing = passphraseVariable(call);
  call.log(`Writing to ${file}`);
  // Up to version 5 of the action, Maven found the passphrase where it finds those of servers.
  const signer = call.major < 6 ? "server" : "profile";
  await writeFile(file, settingsXml({ id, user, password, signing, signer, unattended: call.major > 4 }));
}

/** Empty when nothing is to be said of it. */
function passphraseVariable(call: ActionCall): string {
  const given = call.text("gpg-passphrase-env-var") || call.text("gpg-passphrase");
  if (call.text("gpg-private-key") !== "") return given || "GPG_PASSPHRASE";
  return given;
}

interface Settings {
  readonly id: string;
  /** Names of variables: the file holds no secret. */
  readonly user: string;
  readonly password: string;
  readonly signing: string;
  readonly signer?: "server" | "profile";
  /** Maven is told to ask nobody. */
  readonly unattended?: boolean;
}

const space = "http://maven.apache.org/SETTINGS/1.0.0";

export function settingsXml({ id, user, password, signing, signer = "profile", unattended = true }: Settings): string {
  const profile = `
  <profiles>
    <profile>
      <id>gpg-passphrase</id>
      <properties>
        <gpg.passphraseEnvName>${escapeXml(signing)}</gpg.passphraseEnvName>
      </properties>
    </profile>
  </profiles>
  <activeProfiles>
    <activeProfile>gpg-passphrase</activeProfile>
  </activeProfiles>`;
  const server = `
    <server>
      <id>gpg.passphrase</id>
      <passphrase>\${env.${escapeXml(signing)}}</passphrase>
    </server>`;
  return `<settings xmlns="${space}"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="${space} https://maven.apache.org/xsd/settings-1.0.0.xsd">${unattended ? "\n  <interactiveMode>false</interactiveMode>" : ""}
  <servers>
    <server>
      ${id === "" ? "<id/>" : `<id>${escapeXml(id)}</id>`}
      <username>\${env.${escapeXml(user)}}</username>
      <password>\${env.${escapeXml(password)}}</password>
    </server>${signing === "" || signer !== "server" ? "" : server}
  </servers>${signer !== "profile" || signing === "" || signing === "MAVEN_GPG_PASSPHRASE" ? "" : profile}
</settings>
`;
}

interface ToolchainEntry extends Toolchain {
  readonly vendor: string;
  readonly id: string;
}

async function writeToolchains(call: ActionCall, folder: string, entries: readonly ToolchainEntry[]): Promise<void> {
  const file = join(folder, "toolchains.xml");
  for (const { version, vendor } of entries) {
    call.log(`Creating toolchains.xml for JDK version ${version} from ${vendor}`);
  }
  await writeFile(file, mergeToolchains((await readFileIfExists(file)) ?? "", entries, call.major > 4));
}

/**
 * Keeps what others have written; an entry of the same id is replaced.
 * @param newestFirst version 4 of the official action and those before it put new ones behind
 */
export function mergeToolchains(before: string, entries: readonly ToolchainEntry[], newestFirst: boolean): string {
  const ids = new Set(entries.map(({ id }) => `<id>${escapeXml(id)}</id>`));
  const kept = [...before.matchAll(/<toolchain>[^]*?<\/toolchain>/g)]
    .map(([text]) => `  ${text}`)
    .filter((text) => ![...ids].some((id) => text.includes(id)));
  const added = entries.map(
    ({ version, vendor, id, home }) => `  <toolchain>
    <type>jdk</type>
    <provides>
      <version>${escapeXml(version)}</version>
      <vendor>${escapeXml(vendor)}</vendor>
      <id>${escapeXml(id)}</id>
    </provides>
    <configuration>
      <jdkHome>${escapeXml(home)}</jdkHome>
    </configuration>
  </toolchain>`,
  );
  const xmlns = "http://maven.apache.org/TOOLCHAINS/1.1.0";
  return `<?xml version="1.0"?>
<toolchains xmlns="${xmlns}"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="${xmlns} https://maven.apache.org/xsd/toolchains-1.1.0.xsd">
${(newestFirst ? [...added.toReversed(), ...kept] : [...kept, ...added]).join("\n")}
</toolchains>
`;
}

/** Into a key ring of this job, which goes with its folder. */
async function importKey(call: ActionCall, key: string): Promise<void> {
  const home = join(call.parts.folders.temp, "setup-java-gpg");
  await mkdir(home, { recursive: true });
  await chmod(home, 0o700);
  const file = join(home, "private-key.asc");
  await writeFile(file, key, { mode: 0o600 });
  try {
    call.log("Importing private gpg key");
    const args = ["--homedir", home, "--batch", "--import", file];
    const { exitCode, tail } = await call.try("gpg", args, { quiet: true });
    if (exitCode !== 0) throw new StepFailure(`Cannot import gpg-private-key: gpg ended with ${exitCode}: ${tail}`);
    call.exportVariable("GNUPGHOME", home);
  } finally {
    await rm(file, { force: true });
  }
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
