import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { goRange, goSemver, goVersionInFile } from "./go-version.ts";
import { javaRange, javaVersionInFile, readJavaRelease } from "./java-version.ts";
import { mergeToolchains, settingsXml } from "./maven-files.ts";
import { parseOsRelease } from "./operating-system.ts";
import { pythonRange, pythonVersionsInFile } from "./python-version.ts";

const pythons = ["3.14.0-rc2", "3.13.1", "3.12.9", "3.12.4", "3.9.2"];
const pythonCases: readonly { written: string; pre?: boolean; want: string | undefined }[] = [
  { written: "3.12", want: "3.12.9" },
  { written: "3.12.4", want: "3.12.4" },
  { written: "3.x", want: "3.13.1" },
  { written: ">=3.9 <3.13", want: "3.12.9" },
  { written: "3.14", want: undefined },
  { written: "3.14", pre: true, want: "3.14.0-rc2" },
  { written: "3.14-dev", want: "3.14.0-rc2" },
  { written: "3.14.0rc2", want: "3.14.0-rc2" },
];
for (const { written, pre = false, want } of pythonCases) {
  test(`of the Pythons there are, ${written} means ${want ?? "none"}${pre ? " with prereleases" : ""}`, () => {
    const range = pythonRange(written, pre);
    equal(
      pythons.find((version) => range?.fits(version)),
      want,
    );
  });
}

test("a Python without the lock, and what is no version", () => {
  equal(pythonRange("3.13t", false)?.freethreaded, true);
  equal(pythonRange("3.13t", false)?.fits("3.13.1"), true);
  equal(pythonRange("latest please", false), undefined);
});

const pythonFiles: readonly [string, string, readonly string[]][] = [
  [".python-version", "# mine\n3.12.4\n\n3.11/envs/x\n", ["3.12.4", "3.11"]],
  [".tool-versions", "nodejs 20\npython 3.11.2\n", ["3.11.2"]],
  ["Pipfile", '[packages]\nx = "*"\n[requires]\npython_version = "3.10"\n', ["3.10"]],
  ["pyproject.toml", '[project]\nname = "x"\nrequires-python = ">=3.9,<3.13"\n', [">=3.9.0 <3.13.0-0"]],
  ["pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\nx = "1"\n', [">=3.11.0 <4.0.0-0"]],
  ["pyproject.toml", '[build-system]\nrequires = ["x"]\n', []],
];
for (const [path, text, want] of pythonFiles) {
  test(`${path} asks for Python ${want.join(" and ") || "nothing"}`, () => {
    deepEqual(pythonVersionsInFile(text, path), want);
  });
}

const gos = ["1.26.0-rc1", "1.25.3", "1.24.9", "1.24.0"];
const goCases: readonly [string, string | undefined][] = [
  ["1.24", "1.24.9"],
  ["1.24.0", "1.24.0"],
  ["^1.24", "1.25.3"],
  ["1.25.x", "1.25.3"],
  ["stable", "1.25.3"],
  ["oldstable", "1.24.9"],
  ["1.26rc1", "1.26.0-rc1"],
  ["1.30", undefined],
];
for (const [written, want] of goCases) {
  test(`of the Gos there are, ${written} means ${want ?? "none"}`, () => equal(goRange(written)?.pick(gos), want));
}

test("Go versions become semantic ones, and files say which is wanted", () => {
  deepEqual(["go1.21", "go1.21rc2", "1.9.2"].map(goSemver), ["1.21.0", "1.21.0-rc2", "1.9.2"]);
  equal(goVersionInFile("module x\n\ngo 1.22.1\n\ntoolchain go1.23.4\n", "a/go.mod"), "1.23.4");
  equal(goVersionInFile("go 1.22\n", "go.work"), "1.22");
  equal(goVersionInFile("golang 1.21.5 # x\n", ".tool-versions"), "1.21.5");
  equal(goVersionInFile("1.20\n", ".go-version"), "1.20");
});

const javas = ["21.0.2+13", "17.0.9+9", "17.0.8+7", "11.0.20+8", "8.0.392+8"];
const javaCases: readonly [string, string | undefined][] = [
  ["17", "17.0.9+9"],
  ["17.0.8+7", "17.0.8+7"],
  ["17.0.8+8", undefined],
  [">=11 <17", "11.0.20+8"],
  ["latest", "21.0.2+13"],
  ["8", "8.0.392+8"],
];
for (const [written, want] of javaCases) {
  test(`of the JDKs there are, ${written} means ${want ?? "none"}`, () => {
    const range = javaRange(written);
    equal(
      javas.find((version) => range?.fits(version)),
      want,
    );
  });
}

test("a JDK says its version and maker, and files say which is wanted", () => {
  deepEqual(
    readJavaRelease('IMPLEMENTOR="Eclipse Adoptium"\nJAVA_RUNTIME_VERSION="21.0.2+13-LTS"\nJAVA_VERSION="21.0.2"\n'),
    {
      version: "21.0.2+13",
      implementor: "Eclipse Adoptium",
    },
  );
  equal(readJavaRelease('JAVA_VERSION="17"\n')?.version, "17.0.0");
  equal(readJavaRelease("nothing"), undefined);
  equal(javaRange("22-ea")?.stable, false);
  equal(javaRange("new"), undefined);
  deepEqual(javaVersionInFile("17.0.7\n", ".java-version"), { version: "17.0.7" });
  deepEqual(javaVersionInFile("java=21.0.2-tem\n", ".sdkmanrc"), { version: "21.0.2", vendor: "tem" });
  deepEqual(javaVersionInFile("java temurin-17.0.3+7\n", ".tool-versions"), { version: "17.0.3+7", vendor: "temurin" });
});

test("Maven's files name variables, not secrets, and keep the toolchains of others", () => {
  const settings = settingsXml({ id: "a&b", user: "USER", password: "TOKEN", signing: "PHRASE" });
  for (const part of ["<id>a&amp;b</id>", "${env.USER}", "${env.TOKEN}", "<gpg.passphraseEnvName>PHRASE<"]) {
    equal(settings.includes(part), true, part);
  }
  const entry = { version: "17", vendor: "temurin", id: "temurin_17", home: "/jdk17" };
  for (const [newestFirst, want] of [
    [false, ["/jdk21", "/other17", "/jdk8"]],
    [true, ["/jdk8", "/other17", "/jdk21"]],
  ] as const) {
    const first = mergeToolchains("", [entry], newestFirst);
    const second = mergeToolchains(first, [{ ...entry, version: "21", id: "temurin_21", home: "/jdk21" }], newestFirst);
    const added = [
      { ...entry, home: "/other17" },
      { ...entry, id: "temurin_8", home: "/jdk8" },
    ];
    const homes = [...mergeToolchains(second, added, newestFirst).matchAll(/<jdkHome>(.*?)</g)].map(([, home]) => home);
    deepEqual(homes, want);
  }
});

test("the distribution is known by its name and version", () => {
  deepEqual(parseOsRelease('NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n'), { name: "debian", version: "12" });
});
