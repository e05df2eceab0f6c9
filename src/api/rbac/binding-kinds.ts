import { deepEqual, type Problem } from "#lib";
import { defineKind, type KindDefinition, type PrinterColumn } from "../meta/kind.ts";
import {
  type ClusterRoleBinding,
  clusterRoleBindings,
  rbacGroup,
  type RoleBinding,
  roleBindings,
  type RoleRef,
  type Subject,
} from "./rbac.ts";

const columns: readonly PrinterColumn<RoleBinding>[] = [
  { name: "Role", cell: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}` },
  { name: "Users", wide: true, cell: (binding) => namesOf(binding, "User") },
  { name: "Groups", wide: true, cell: (binding) => namesOf(binding, "Group") },
  { name: "ServiceAccounts", wide: true, cell: (binding) => namesOf(binding, "ServiceAccount") },
];

const shared = {
  status: false,
  generation: false,
  fields: ["subjects", "roleRef"],
  setDefaults: completeBinding,
} as const satisfies Partial<KindDefinition<RoleBinding>>;

export const roleBindingKind = defineKind<RoleBinding>({
  ...shared,
  columns,
  type: roleBindings,
  singular: "rolebinding",
  validate: (binding, old) => bindingProblems(binding, old, ["Role", "ClusterRole"]),
});

export const clusterRoleBindingKind = defineKind<ClusterRoleBinding>({
  ...shared,
  columns,
  type: clusterRoleBindings,
  singular: "clusterrolebinding",
  validate: (binding, old) => bindingProblems(binding, old, ["ClusterRole"]),
});

function namesOf({ subjects = [] }: RoleBinding, kind: string): string {
  return subjects
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === "ServiceAccount" ? `${namespace ?? ""}/${name}` : name))
    .join(", ");
}

function completeBinding(binding: RoleBinding): void {
  if ((binding.roleRef.apiGroup ?? "") === "") binding.roleRef.apiGroup = rbacGroup;
  for (const subject of binding.subjects ?? []) {
    if ((subject.apiGroup ?? "") === "" && (subject.kind === "User" || subject.kind === "Group")) {
      subject.apiGroup = rbacGroup;
    }
  }
}

function bindingProblems(binding: RoleBinding, old: RoleBinding | undefined, kinds: readonly string[]): Problem[] {
  const { roleRef, subjects } = binding;
  const problems = [
    ...roleRefProblems(roleRef, kinds),
    ...(subjects ?? []).flatMap((subject, index) =>
      subjectProblems(subject, `subjects[${index}]`, kinds.includes("Role")),
    ),
  ];
  if (old !== undefined && !deepEqual(old.roleRef, roleRef)) {
    problems.push({ path: "roleRef", message: `Invalid value: ${JSON.stringify(roleRef)}: cannot change roleRef` });
  }
  return problems;
}

function roleRefProblems({ apiGroup, kind, name }: RoleRef, kinds: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  if (apiGroup !== rbacGroup) problems.push(unsupported("roleRef.apiGroup", apiGroup, [rbacGroup]));
  if (!kinds.includes(kind)) problems.push(unsupported("roleRef.kind", kind ?? "", kinds));
  if (name === "") problems.push({ path: "roleRef.name", message: "Required value" });
  else if (name === "." || name === ".." || /[/%]/.test(name)) {
    const why = "may not be '.', '..' or contain '/' or '%'";
    problems.push({ path: "roleRef.name", message: `Invalid value: ${JSON.stringify(name)}: ${why}` });
  }
  return problems;
}

function subjectProblems(subject: Subject, path: string, namespaced: boolean): Problem[] {
  const { kind, name, namespace = "", apiGroup = "" } = subject;
  const problems: Problem[] = [];
  if (name === "") problems.push({ path: `${path}.name`, message: "Required value" });
  switch (kind) {
    case "ServiceAccount":
      if (name !== "" && !/^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/.test(name)) {
        const why = "a service account's name is lower case letters, digits, '-' and '.', the ends alphanumeric";
        problems.push({ path: `${path}.name`, message: `Invalid value: ${JSON.stringify(name)}: ${why}` });
      }
      if (apiGroup !== "") problems.push(unsupported(`${path}.apiGroup`, apiGroup, [""]));
      if (!namespaced && namespace === "") problems.push({ path: `${path}.namespace`, message: "Required value" });
      break;
    case "User":
    case "Group":
      if (apiGroup !== rbacGroup) problems.push(unsupported(`${path}.apiGroup`, apiGroup, [rbacGroup]));
      break;
    default:
      problems.push(unsupported(`${path}.kind`, kind ?? "", ["ServiceAccount", "User", "Group"]));
  }
  return problems;
}

function unsupported(path: string, found: string, values: readonly string[]): Problem {
  const supported = values.map((value) => JSON.stringify(value)).join(", ");
  return { path, message: `Unsupported value: ${JSON.stringify(found)}: supported values: ${supported}` };
}
