import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { coveredFiles } from "./coverage-report.ts";
import { isReportName, renamer } from "./find-reports.ts";
import { readCoverage } from "./read-coverage.ts";

const reports: readonly [string, string, readonly { path: string; covered: string; missed: string }[]][] = [
  [
    "lcov",
    "TN:\nSF:src/a.js\nDA:1,1\nDA:2,0\nDA:3,4\nend_of_record\nSF:src/b.js\nDA:1,0\nend_of_record\n",
    [
      { path: "src/a.js", covered: "1,3", missed: "2" },
      { path: "src/b.js", covered: "", missed: "1" },
    ],
  ],
  [
    "cobertura",
    `<?xml version="1.0" ?><!DOCTYPE coverage SYSTEM "x.dtd"><coverage line-rate="0.5"><sources><source>/work/shop/app</source></sources>
     <packages><package name="."><classes><class name="m" filename="m&amp;n.py"><methods/><lines><line number="1" hits="2"/><line number="2" hits="0"/></lines></class></classes></package></packages></coverage>`,
    [{ path: "/work/shop/app/m&n.py", covered: "1", missed: "2" }],
  ],
  [
    "clover",
    `<?xml version="1.0"?><coverage generated="1"><project timestamp="1"><file name="A.php" path="/x/src/A.php"><line num="3" type="method" count="1"/><line num="4" type="stmt" count="1"/><line num="5" type="stmt" count="0"/></file></project></coverage>`,
    [{ path: "/x/src/A.php", covered: "4", missed: "5" }],
  ],
  [
    "jacoco",
    `<?xml version="1.0"?><!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd"><report name="x"><package name="com/acme"><class name="com/acme/A"/><sourcefile name="A.java"><line nr="7" mi="0" ci="3" mb="0" cb="0"/><line nr="8" mi="2" ci="0"/></sourcefile></package></report>`,
    [{ path: "com/acme/A.java", covered: "7", missed: "8" }],
  ],
  [
    "go",
    "mode: atomic\nexample.com/m/a.go:3.14,5.2 2 1\nexample.com/m/a.go:7.2,8.3 1 0\nexample.com/m/a.go:5.2,5.9 1 0\n",
    [{ path: "example.com/m/a.go", covered: "3-5", missed: "7-8" }],
  ],
  [
    "istanbul",
    JSON.stringify({
      "/x/a.ts": { statementMap: { 0: { start: { line: 2 } }, 1: { start: { line: 3 } } }, s: { 0: 1, 1: 0 } },
    }),
    [{ path: "/x/a.ts", covered: "2", missed: "3" }],
  ],
];

for (const [format, text, want] of reports) {
  test(`a report of the format ${format} is seen as such and read`, () => {
    const report = readCoverage(text);
    equal(report?.format, format);
    deepEqual(report === undefined ? [] : coveredFiles([report.lines], (path) => path), want);
  });
}

test("what is no report is none", () => {
  for (const text of ["", "hello", "<html></html>", "{}", "{broken", "<coverage></coverage>"])
    equal(readCoverage(text), undefined);
});

test("a line is covered when one of several reports has run it, whatever each calls the file", () => {
  const lines = ["SF:/a/src/x.js\nDA:1,0\nDA:2,1\n", "SF:src/x.js\nDA:1,1\nDA:3,0\n"].map(
    (text) => readCoverage(text)?.lines,
  );
  const rename = renamer("/a", ["src/x.js"]);
  deepEqual(
    coveredFiles(
      lines.flatMap((one) => one ?? []),
      rename,
    ),
    [{ path: "src/x.js", covered: "1-2", missed: "3" }],
  );
});

test("paths of reports are found in the repository by their endings, when that is clear", () => {
  const rename = renamer("/work/shop", ["app/src/main/java/com/acme/A.java", "pkg/a.go", "b/x.py", "c/x.py"]);
  equal(rename("com/acme/A.java"), "app/src/main/java/com/acme/A.java");
  equal(rename("example.com/m/pkg/a.go"), "pkg/a.go");
  equal(rename("/work/shop/b/x.py"), "b/x.py");
  equal(rename("/elsewhere/x.py"), "elsewhere/x.py");
});

test("files are taken for reports by the names that tools give them", () => {
  const yes = [
    "coverage.xml",
    "lcov.info",
    "cover.out",
    "coverage.out",
    "coverage-final.json",
    "jacocoTestReport.xml",
    "jacoco.xml",
    "clover.xml",
    "cobertura-coverage.xml",
    "unit.coverage.xml",
    "coverage.lcov",
  ];
  const no = ["coverage.py", "coverage-summary.json", "pom.xml", "package.json", "coverage.html", "info.txt"];
  deepEqual(
    yes.filter((name) => !isReportName(name)),
    [],
  );
  deepEqual(no.filter(isReportName), []);
});
