/** `actions/setup-python`, `setup-go` and `setup-java`: the tool cache, the machine's own, and a download mirror. */
import { equal, match, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { commandOutput } from "#lib";
import { logOf, startBuiltInJobs, wholeLog, type BuiltInJobs } from "../../support/built-in-jobs.ts";
import { skipWithout } from "../../support/needs.ts";

let jobs: BuiltInJobs;
/** What the mirror serves, by path. */
const mirrored = new Map<string, string | Buffer>();
const arch = process.arch === "arm64" ? "arm64" : "x64";

before(async () => {
  jobs = await startBuiltInJobs({
    async routes(app) {
      await Promise.resolve();
      app.get("/mirror/*", async (request, reply) => {
        const found = mirrored.get(request.url.split("?")[0] ?? "");
        return found === undefined ? await reply.code(404).send("none") : await reply.send(found);
      });
    },
  });
});
after(async () => await jobs[Symbol.asyncDispose]());

/** A version of a tool whose programs say `says`. */
async function putTool(tool: string, version: string, program: string, says: string): Promise<string> {
  const folder = join(jobs.toolCache, tool, version, arch);
  await mkdir(join(folder, "bin"), { recursive: true });
  await writeFile(join(folder, "bin", program), `#!/bin/sh\n${says}\n`, { mode: 0o755 });
  await writeFile(`${folder}.complete`, "");
  return folder;
}

test("setup-python takes the highest of the tool cache, exports what the official action does, and names what there is", async () => {
  await putTool("Python", "3.97.1", "python", "echo older");
  const folder = await putTool("Python", "3.97.4", "python", 'echo "Python 3.97.4"');
  const record = await jobs.run([
    { run: "echo 3.97 > .python-version" },
    { id: "py", uses: "actions/setup-python@v5" },
    {
      name: "look",
      run: 'python; echo "$pythonLocation $Python3_ROOT_DIR $PKG_CONFIG_PATH $LD_LIBRARY_PATH ${{ steps.py.outputs.python-version }} ${{ steps.py.outputs.python-path }}"',
    },
    {
      name: "quiet",
      uses: "actions/setup-python@v5",
      with: { "python-version": "3.97.1", "update-environment": "false" },
    },
    { name: "still", run: "python" },
    { name: "none", uses: "actions/setup-python@v5", with: { "python-version": "3.98" } },
  ]);
  equal(
    logOf(record, "look").split("\n").slice(-2).join("|"),
    `Python 3.97.4|${folder} ${folder} ${folder}/lib/pkgconfig ${folder}/lib 3.97.4 ${folder}/bin/python`,
    wholeLog(record),
  );
  match(logOf(record, "still"), /Python 3\.97\.4$/);
  match(
    logOf(record, "none"),
    /##\[error\]The version '3\.98' with architecture '\w+' was not found: there is .*3\.97\.4 \(tool cache\), 3\.97\.1 \(tool cache\).*; ask for one of these, put another into the tool cache at .* or name a download mirror in the variable TIDEGATE_TOOL_MIRROR/,
  );
});

test(
  "the machine's Python is given to a job as an environment of its own",
  { skip: skipWithout("python3") },
  async () => {
    const found = await commandOutput("python3", ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"], {
      env: { PATH: process.env["PATH"] ?? "" },
      signal: AbortSignal.timeout(30_000),
    });
    const version = found.toString().trim();
    const record = await jobs.run([
      { id: "py", uses: "actions/setup-python@v5", with: { "python-version": version } },
      {
        name: "look",
        run: 'python -c "import sys; print(sys.prefix != sys.base_prefix, sys.prefix)"; echo "${{ steps.py.outputs.python-version }} $pythonLocation"; command -v python',
      },
    ]);
    equal(record.completed?.conclusion, "success", wholeLog(record));
    match(
      logOf(record, "look"),
      new RegExp(`True (\\S+)\\n${version.replace(".", "\\.")}\\.\\S+ \\1\\n\\1/bin/python$`),
    );
  },
);

test("a version that is nowhere comes from the mirror, checked, once; one that is not what the list says is refused", async () => {
  const from = join(jobs.folder, "mirror", "python");
  await mkdir(join(from, "bin"), { recursive: true });
  await writeFile(join(from, "bin", "python"), "#!/bin/sh\necho from the mirror\n", { mode: 0o755 });
  const archive = join(jobs.folder, "mirror.tar.gz");
  const env = { PATH: process.env["PATH"] ?? "" };
  await commandOutput("tar", ["-czf", archive, "-C", from, "."], { env, signal: AbortSignal.timeout(30_000) });
  const bytes = await readFile(archive);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  mirrored.set("/mirror/Python/p.tar.gz", bytes);
  mirrored.set(
    "/mirror/Python/versions.json",
    JSON.stringify([
      { version: "3.96.2", arch, file: "p.tar.gz", sha256 },
      { version: "3.95.0", arch, file: "p.tar.gz", sha256: "0".repeat(64) },
    ]),
  );
  const step = (version: string) => ({
    name: `python ${version}`,
    uses: "actions/setup-python@v5",
    with: { "python-version": version },
    env: { TIDEGATE_TOOL_MIRROR: `${jobs.url}/mirror` },
  });
  const record = await jobs.run([step("3.96"), { name: "look", run: "python" }, step("3.95")]);
  match(logOf(record, "look"), /from the mirror$/, wholeLog(record));
  match(logOf(record, "python 3.95"), /##\[error\]Refused http\S+p\.tar\.gz: its SHA-256 is [0-9a-f]{64}, not 0{64}/);
  mirrored.clear();
  const again = await jobs.run([step("3.96"), { name: "look", run: "python" }]);
  match(logOf(again, "look"), /from the mirror$/, "it is in the tool cache now");
});

test("pip's downloads are kept under the official key", async () => {
  await putTool("Python", "3.94.0", "python", "echo 3.94");
  await putTool("Python", "3.94.0", "pip", 'echo "$HOME/.cache/pip-of-test"');
  const steps = (name: string) => [
    { run: "echo flask > requirements.txt" },
    { name, id: "py", uses: "actions/setup-python@v5", with: { "python-version": "3.94", cache: "pip" } },
    {
      name: "hit",
      run: 'mkdir -p ~/.cache/pip-of-test && echo x > ~/.cache/pip-of-test/x; echo "hit=${{ steps.py.outputs.cache-hit }}"',
    },
  ];
  const first = await jobs.run(steps("first"));
  match(
    logOf(first, "Post first"),
    /Cache saved with the key: setup-python-Linux-(?:x64|arm64)-\S+-python-3\.94\.0-pip-[0-9a-f]{64}$/,
    wholeLog(first),
  );
  const second = await jobs.run(steps("second"));
  match(logOf(second, "hit"), /hit=true$/, wholeLog(second));
  const without = await jobs.run(steps("x").slice(1));
  match(
    logOf(without, "x"),
    /##\[error\]No file in \S+ matched to \[\*\*\/requirements\.txt\], make sure you have checked out/,
  );
});

test("setup-go finds Go by version, file and range, and sets up its folders", async () => {
  const script = `case "$1 $2" in
  "env GOPATH") echo "$HOME/gopath";;
  "env GOMODCACHE") printf '%s\\n' "$HOME/gomod" "$HOME/gobuild";;
  "version ") echo "go version go1.97.3 linux/amd64";;
  *) echo "GOTHING=1";;
esac`;
  await putTool("go", "1.97.3", "go", script);
  const record = await jobs.run([
    { run: "printf 'module x\\n\\ngo 1.97\\n' > go.mod; mkdir -p ~/gomod; echo m > ~/gomod/m" },
    { id: "go", name: "go", uses: "actions/setup-go@v5", with: { "go-version-file": "go.mod" } },
    {
      name: "look",
      run: 'go version; echo "${{ steps.go.outputs.go-version }} $GOTOOLCHAIN ${{ steps.go.outputs.cache-hit }}"; echo "$PATH" | grep -c gopath/bin',
    },
    { name: "none", uses: "actions/setup-go@v5", with: { "go-version": "1.98", cache: "false" } },
  ]);
  match(logOf(record, "look"), /go version go1\.97\.3 linux\/amd64\n1\.97\.3 local false\n1$/, wholeLog(record));
  match(
    logOf(record, "none"),
    /##\[error\]Unable to find Go version '1\.98' for platform linux and architecture \w+: there is 1\.97\.3 \(tool cache\)/,
  );
  const good = await jobs.run([
    { run: "printf 'module x\\n\\ngo 1.97\\n' > go.mod; mkdir -p ~/gomod; echo m > ~/gomod/m" },
    { name: "go", uses: "actions/setup-go@v5", with: { "go-version": "1.97.x" } },
  ]);
  match(
    logOf(good, "Post go"),
    /Cache saved with the key: setup-go-Linux-(?:x64|arm64)-undefined-go-1\.97\.3-[0-9a-f]{64}$/,
    wholeLog(good),
  );
});

test("setup-java finds the JDK of the maker, sets it up, and writes Maven's files without a secret", async () => {
  const folder = await putTool("Java_Temurin-Hotspot_jdk", "97.0.2-13", "java", "echo java 97");
  const record = await jobs.run([
    {
      id: "java",
      uses: "actions/setup-java@v4",
      with: { distribution: "temurin", "java-version": "97", "server-id": "ours", "settings-path": "m2" },
    },
    {
      name: "look",
      run: 'java; echo "$JAVA_HOME|$JAVA_HOME_97_X64$JAVA_HOME_97_ARM64|${{ steps.java.outputs.version }}|${{ steps.java.outputs.distribution }}|${{ steps.java.outputs.path }}"; cat m2/settings.xml m2/toolchains.xml',
    },
    { name: "none", uses: "actions/setup-java@v4", with: { distribution: "temurin", "java-version": "96" } },
  ]);
  const log = logOf(record, "look");
  ok(log.includes(`\njava 97\n${folder}|${folder}|97.0.2+13|Temurin-Hotspot|${folder}\n`), wholeLog(record));
  for (const part of [
    "<id>ours</id>",
    "<username>${env.GITHUB_ACTOR}</username>",
    "<id>temurin_97</id>",
    `<jdkHome>${folder}</jdkHome>`,
  ]) {
    ok(log.includes(part), part);
  }
  match(
    logOf(record, "none"),
    /##\[error\]Could not find satisfied version for SemVer '96' of temurin: there is 97\.0\.2\+13 \(tool cache\)/,
  );
});

test("Maven's downloads are kept under the official key, its wrapper by itself, and its lists are short", async () => {
  await putTool("Java_Temurin-Hotspot_jdk", "94.0.2-1", "java", "echo java 94");
  const record = await jobs.run([
    {
      run: "mkdir -p .mvn/wrapper ~/.m2/repository ~/.m2/wrapper/dists; echo 1 | tee pom.xml .mvn/wrapper/maven-wrapper.properties ~/.m2/repository/x",
    },
    {
      name: "java",
      uses: "actions/setup-java@v5",
      with: { distribution: "temurin", "java-version": "94", cache: "maven" },
    },
    { name: "look", run: 'echo "$MAVEN_ARGS"' },
  ]);
  match(logOf(record, "look"), /\n-ntp$/, wholeLog(record));
  match(logOf(record, "Post java"), /maven-wrapper cache saved with the key: setup-java-Linux-\w+-maven-wrapper-/);
  match(logOf(record, "Post java"), /Cache saved with the key: setup-java-Linux-\w+-maven-[0-9a-f]{64}$/);
  const unknown = await jobs.run([
    {
      name: "java",
      uses: "actions/setup-java@v5",
      with: { distribution: "temurin", "java-version": "94", cache: "ant" },
    },
  ]);
  match(logOf(unknown, "java"), /unknown package manager specified: ant/);
});
