/** Who makes JDKs: the names of the input, of the tool cache's folders, and in the JDK itself. Pure. */

export interface JavaDistribution {
  readonly name: string;
  /** As in `Java_<folder>_jdk` and in the output. */
  readonly folder: string;
  /** What IMPLEMENTOR of a JDK of theirs says. */
  readonly implementors: RegExp;
}

const distributions: readonly JavaDistribution[] = [
  { name: "temurin", folder: "Temurin-Hotspot", implementors: /adoptium|temurin/i },
  { name: "adopt", folder: "Adopt-Hotspot", implementors: /adopt/i },
  { name: "adopt-hotspot", folder: "Adopt-Hotspot", implementors: /adopt/i },
  { name: "adopt-openj9", folder: "Adopt-OpenJ9", implementors: /openj9/i },
  { name: "zulu", folder: "Zulu", implementors: /azul/i },
  { name: "liberica", folder: "Liberica", implementors: /bellsoft/i },
  { name: "liberica-nik", folder: "Liberica_NIK", implementors: /bellsoft/i },
  { name: "microsoft", folder: "Microsoft", implementors: /microsoft/i },
  { name: "semeru", folder: "IBM_Semeru", implementors: /ibm/i },
  { name: "corretto", folder: "Corretto", implementors: /amazon/i },
  { name: "oracle", folder: "Oracle", implementors: /oracle/i },
  { name: "oracle-openjdk", folder: "Oracle OpenJDK", implementors: /oracle/i },
  { name: "dragonwell", folder: "Dragonwell", implementors: /alibaba/i },
  { name: "sapmachine", folder: "SapMachine", implementors: /sap/i },
  { name: "graalvm", folder: "GraalVM", implementors: /oracle|graalvm/i },
  { name: "graalvm-community", folder: "GraalVM_Community", implementors: /graalvm/i },
  { name: "jetbrains", folder: "JetBrains", implementors: /jetbrains/i },
  { name: "kona", folder: "Kona", implementors: /tencent/i },
  { name: "redhat", folder: "RedHat", implementors: /red hat/i },
  { name: "jdkfile", folder: "jdkfile", implementors: /^$/ },
];

export function findDistribution(name: string): JavaDistribution | undefined {
  return distributions.find((distribution) => distribution.name === name.toLowerCase());
}

/** Names of SDKMAN and asdf for the same. */
export const vendorsByFileName: Readonly<Record<string, string>> = {
  tem: "temurin",
  temurin: "temurin",
  adoptopenjdk: "temurin",
  sem: "semeru",
  semeru: "semeru",
  ibm: "semeru",
  zulu: "zulu",
  amzn: "corretto",
  corretto: "corretto",
  graal: "graalvm",
  graalce: "graalvm",
  graalvm: "graalvm",
  librca: "liberica",
  liberica: "liberica",
  ms: "microsoft",
  microsoft: "microsoft",
  oracle: "oracle",
  sapmchn: "sapmachine",
  sapmachine: "sapmachine",
  jbr: "jetbrains",
  jetbrains: "jetbrains",
  albba: "dragonwell",
  dragonwell: "dragonwell",
  kona: "kona",
};
