/** Java: which JDK is set up, Maven's files, and what build tools have downloaded. */
import type { TwinCase, TwinStep } from "./cases.ts";

type JavaCase = Omit<TwinCase, "key" | "uses" | "says" | "with"> &
  Partial<Pick<TwinCase, "says" | "with">> & { readonly since?: string };

/** Words of refusals are ours; keys end with the digest of what is new for each attempt. */
function normalise(line: string): string {
  // Advice to take the newest, which ours is at any version.
  if (line.startsWith("warning: setup-java v4 is deprecated")) return "";
  return line.replace(/^(error|warning): .*/s, "$1").replaceAll(/\b[0-9a-f]{64}\b/g, "<digest>");
}

const temurin = { distribution: "temurin", "java-version": "21" };
/** The folder of the user is the job's own, so that jobs do not meet there. */
const ownHome =
  'mkdir -p "$RUNNER_TEMP/home"; echo "HOME=$RUNNER_TEMP/home" >> "$GITHUB_ENV"; export HOME="$RUNNER_TEMP/home"';
const files = 'cd "$HOME" && for file in .m2/settings.xml .m2/toolchains.xml; do echo "$file"; cat "$file"; echo; done';
const which = 'command -v java; java; env | grep -o "^JAVA_HOME[^=]*" | sort';

function written(name: string, given: TwinCase["with"], rest: Partial<JavaCase> = {}): JavaCase {
  return { name, before: ownHome, with: given, look: `${which}\n${files}`, normalise, ...rest };
}

function kept(tool: string, folders: readonly string[], lock: string, rest: Partial<JavaCase> = {}): JavaCase {
  return {
    name: `what ${tool} downloads is kept, of ${lock}`,
    before: [
      ownHome,
      `for folder in ${folders.join(" ")}; do mkdir -p "$HOME/$folder"; echo x > "$HOME/$folder/x"; done`,
      `mkdir -p "$(dirname "${lock}")"; echo "\${{ github.job }}-\${{ github.run_attempt }}" > "${lock}"; echo 'a=b' > gradle.properties`,
    ].join("\n"),
    with: { ...temurin, cache: tool },
    look: "true",
    says: [
      new RegExp(`^${tool} cache is not found$`),
      new RegExp(`^Cache saved with the key: setup-java-Linux-(?:x64|arm64)-${tool}-[0-9a-f]{64}$`),
      /^\w+-wrapper cache saved with the key: setup-java-/,
    ],
    normalise,
    ...rest,
  };
}

/** Somebody has kept it before, under the key that the official action takes. */
function found(tool: string, folders: readonly string[], lock: string, hashed: string): JavaCase {
  const arch = "${{ runner.arch == 'ARM64' && 'arm64' || 'x64' }}";
  const path = folders.map((folder) =>
    folder.startsWith("!") ? `!\${{ env.HOME }}/${folder.slice(1)}` : `\${{ env.HOME }}/${folder}`,
  );
  const steps: readonly TwinStep[] = [
    {
      uses: "actions/cache/save@v4",
      with: { path: path.join("\n"), key: `setup-java-Linux-${arch}-${tool}-\${{ hashFiles(${hashed}) }}` },
    },
    { run: `rm -r "$HOME/${folders[0]}"` },
  ];
  return kept(
    tool,
    folders.filter((folder) => !folder.startsWith("!")),
    lock,
    {
      name: `what ${tool} downloaded is found, of ${lock}`,
      steps,
      look: `find "$HOME/${folders[0]}" -type f | grep -o '[^/]*$'`,
      says: [
        /^Cache restored from key: setup-java-/,
        /^Cache hit occurred on the primary key setup-java-.*, not saving cache\.$/,
      ],
    },
  );
}

const sbt = [".ivy2/cache", ".sbt", ".cache/coursier", "!.sbt/*.lock", "!**/ivydata-*.properties"];

export const javaCases: readonly JavaCase[] = [
  written("a version of the tool cache", temurin),
  written("two versions, each with its name", {
    ...temurin,
    "java-version": "17\n21.97",
    "mvn-toolchain-id": "old\nnew",
    "mvn-toolchain-vendor": "us",
  }),
  written("a version to the last number, and whom Maven is to be for others", {
    ...temurin,
    "java-version": "17.97.0+3",
    "server-id": "our<id>",
    "server-username": "USER_OF",
    "server-password": "WORD_OF",
  }),
  written(
    "not the one that is used, and what Maven says",
    { ...temurin, "set-default": false, "show-download-progress": true },
    {
      since: "v5",
      look: "env | grep -o '^JAVA_HOME[^=]*' | sort",
    },
  ),
  written(
    "Maven's own settings, which stay",
    { ...temurin, "overwrite-settings": false },
    {
      before: `${ownHome}; mkdir "$HOME/.m2"; echo mine > "$HOME/.m2/settings.xml"`,
    },
  ),
  written("nothing, in so many words", {
    ...temurin,
    "java-version-file": "",
    architecture: "",
    "check-latest": "",
    "set-default": "",
    "verify-signature": "",
    "server-id": "",
    "server-username": "",
    "server-password": "",
    "settings-path": "",
    "overwrite-settings": "",
    "gpg-private-key": "",
    "gpg-passphrase": "",
    cache: "",
    "job-status": "",
    token: "",
    "mvn-toolchain-id": "",
    "mvn-toolchain-vendor": "",
    "show-download-progress": "",
  }),
  written("what signs asks for a word", { ...temurin, "gpg-passphrase": "WORD_OF<KEY>" }),
  written(
    "neither true nor false",
    { ...temurin, "overwrite-settings": "perhaps" },
    {
      before: `${ownHome}; mkdir "$HOME/.m2"; echo mine > "$HOME/.m2/settings.xml"`,
    },
  ),
  written("an input that is going", { ...temurin, jdkFile: "jdk.tar.gz" }, { since: "v5", look: "true" }),
  {
    ...kept("sbt", [".sbt"], "build.sbt"),
    name: "nothing is kept of a job that failed, as somebody says",
    with: { ...temurin, cache: "sbt", "job-status": "failure" },
    says: [/^Cache saved with the key: /],
  },
  written("Maven's settings elsewhere", { ...temurin, "settings-path": "m2" }, { look: 'ls m2; ls "$HOME"' }),
  written("Maven is told already", temurin, {
    before: `${ownHome}; echo "MAVEN_ARGS=-B" >> "$GITHUB_ENV"`,
    look: 'echo "$MAVEN_ARGS"',
  }),
  written(
    "a version out of a file",
    { distribution: "temurin", "java-version-file": ".java-version" },
    {
      before: `${ownHome}; echo 17.97 > .java-version`,
    },
  ),
  written(
    "a version out of the file of asdf",
    { distribution: "temurin", "java-version-file": ".tool-versions" },
    {
      before: `${ownHome}; printf 'node 20\\njava temurin-21.97.1+5\\n' > .tool-versions`,
    },
  ),
  written(
    "a version out of the file of SDKMAN",
    { distribution: "temurin", "java-version-file": ".sdkmanrc" },
    {
      since: "v5",
      before: `${ownHome}; echo 'java=17.97.0-tem' > .sdkmanrc`,
    },
  ),
  written("a file that is not there", { distribution: "temurin", "java-version-file": "none" }, { look: "true" }),
  written("nothing is wanted", { distribution: "temurin" }, { look: "true" }),
  written("nobody makes it", { distribution: "acme", "java-version": "21" }, { look: "true" }),
  kept("maven", [".m2/repository", ".m2/wrapper/dists"], ".mvn/wrapper/maven-wrapper.properties", {
    before: [
      ownHome,
      'mkdir -p "$HOME/.m2/repository" "$HOME/.m2/wrapper/dists" .mvn/wrapper; echo x > "$HOME/.m2/repository/x"',
      'echo "${{ github.job }}-${{ github.run_attempt }}" | tee pom.xml .mvn/wrapper/maven-wrapper.properties',
    ].join("\n"),
  }),
  found("maven", [".m2/repository"], "part/pom.xml", "'**/pom.xml'"),
  kept("gradle", [".gradle/caches", ".gradle/wrapper"], "gradle/wrapper/gradle-wrapper.properties"),
  kept("sbt", [".ivy2/cache", ".sbt", ".cache/coursier"], "build.sbt"),
  found("sbt", sbt, "project/build.properties", "'**/project/build.properties'"),
  {
    ...kept("maven", [".m2/repository"], "deps.txt"),
    with: { ...temurin, cache: "maven", "cache-dependency-path": "deps.txt" },
  },
  { ...kept("maven", [".m2/repository"], "other.txt"), name: "no file to tell what Maven needs" },
  { ...kept("ant", [".ant"], "build.xml"), name: "a tool that is none" },
];

/** JDKs that say what they are. */
export const javaPrograms: readonly (readonly [string, string, string])[] = [
  ["Java_Temurin-Hotspot_jdk/21.97.1-5", "java", "echo Java 21.97.1"],
  ["Java_Temurin-Hotspot_jdk/17.97.0-3", "java", "echo Java 17.97.0"],
];
