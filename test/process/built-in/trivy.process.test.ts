/** `aquasecurity/trivy-action`: how it calls trivy, told by one that says what it was given. */
import { equal, match } from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { hostPath, logOf, startBuiltInJobs, wholeLog, type BuiltInJobs } from "../../support/built-in-jobs.ts";

let folder = "";
let jobs: BuiltInJobs;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "trivy-"));
  const bin = join(folder, "bin");
  await mkdir(bin);
  const script =
    '#!/bin/sh\necho "trivy $*"; env | grep ^TRIVY_ | sort\n[ -n "$TRIVY_IGNOREFILE" ] && cat "$TRIVY_IGNOREFILE"\n[ "$1" = fs ] && exit "${TRIVY_EXIT_CODE:-0}"\nexit 0\n';
  await writeFile(join(bin, "trivy"), script, { mode: 0o755 });
  jobs = await startBuiltInJobs({ path: `${bin}:${hostPath}` });
});
after(async () => {
  await jobs[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test("inputs become trivy's variables unless they are its defaults, and its exit code is the step's", async () => {
  const record = await jobs.run([
    { run: "printf 'CVE-1\\n' > a.ignore; printf 'CVE-2\\n' > b.ignore" },
    {
      name: "image",
      uses: "aquasecurity/trivy-action@0.36.0",
      with: {
        "image-ref": "acme/shop:1",
        trivyignores: "a.ignore,b.ignore",
        format: "sarif",
        output: "r.sarif",
        severity: "HIGH",
      },
    },
    {
      name: "files",
      uses: "aquasecurity/trivy-action@master",
      with: { "scan-type": "fs", severity: "CRITICAL,HIGH", "exit-code": "1" },
    },
  ]);
  match(
    logOf(record, "image"),
    /trivy image acme\/shop:1\nTRIVY_CACHE_DIR=\S+\/\.cache\/trivy\nTRIVY_FORMAT=sarif\nTRIVY_IGNOREFILE=\S+\nTRIVY_OUTPUT=r\.sarif\nTRIVY_SEVERITY=UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL\nCVE-1\n\nCVE-2$/,
    wholeLog(record),
  );
  match(
    logOf(record, "files"),
    /trivy fs \.\nTRIVY_CACHE_DIR=\S+\nTRIVY_EXIT_CODE=1\nTRIVY_SEVERITY=CRITICAL,HIGH\n##\[error\]Process completed with exit code 1\.$/,
  );
  equal(record.completed?.conclusion, "failure");
});

test("without trivy the step says what to do, and that nothing was scanned", async () => {
  const record = await jobs.run([
    { name: "none", uses: "aquasecurity/trivy-action@master", env: { TRIVY_CMD: "no-such-trivy" } },
  ]);
  match(
    logOf(record, "none"),
    /##\[error\]There is no trivy on this runner: install the trivy program on its machine, or remove the step\. Nothing has been scanned$/,
  );
});
