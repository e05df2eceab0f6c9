/** A small project in every language whose starter workflows can run with nothing but tools of the machine. */

const makefile = `all:
\techo built
check test:
\techo checked
distcheck: check
`;

const cmake = `cmake_minimum_required(VERSION 3.10)
project(sample C CXX)
enable_testing()
add_executable(sample c/main.c)
add_test(NAME runs COMMAND sample)
`;

/** Paths to contents; those that are programs are made executable by whoever writes them. */
export const sampleRepository: Readonly<Record<string, string>> = {
  Makefile: makefile,
  configure: "#!/bin/sh\necho configured\n",
  "CMakeLists.txt": cmake,
  "c/main.c": "int main(void) { return 0; }\n",
  "package.json": JSON.stringify({
    name: "sample",
    version: "1.0.0",
    scripts: { build: "node --check index.js", test: "node index.js" },
  }),
  "package-lock.json": JSON.stringify({
    name: "sample",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: { "": { name: "sample", version: "1.0.0" } },
  }),
  "index.js": "console.log('works');\n",
  "go.mod": "module example.com/sample\n\ngo 1.20\n",
  "sample.go": "package main\n\nfunc double(n int) int { return 2 * n }\n\nfunc main() { println(double(21)) }\n",
  "sample_test.go":
    'package main\n\nimport "testing"\n\nfunc TestDouble(t *testing.T) {\n\tif double(2) != 4 {\n\t\tt.Fail()\n\t}\n}\n',
  "Cargo.toml": '[package]\nname = "sample"\nversion = "1.0.0"\nedition = "2021"\n',
  "src/main.rs": 'fn main() { println!("works"); }\n\n#[test]\nfn adds() { assert_eq!(1 + 1, 2); }\n',
  "requirements.txt": "",
  "sample.py": "def double(n):\n    return 2 * n\n",
  "test_sample.py": "from sample import double\n\n\ndef test_double():\n    assert double(2) == 4\n",
};

export const samplePrograms: readonly string[] = ["configure"];
