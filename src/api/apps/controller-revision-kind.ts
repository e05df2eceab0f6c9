import { deepEqual, type Problem } from "#lib";
import { invalid, required, wholeNumberProblems } from "../argo/field-problem.ts";
import { defineKind } from "../meta/kind.ts";
import { type ControllerRevision, controllerRevisions } from "./controller-revision.ts";

export const controllerRevisionKind = defineKind<ControllerRevision>({
  type: controllerRevisions,
  singular: "controllerrevision",
  status: false,
  generation: false,
  validate(revision, old) {
    const problems: Problem[] = wholeNumberProblems("revision", revision.revision);
    if (revision.data === undefined || revision.data === null) problems.push(required("data", "data is mandatory"));
    if (old !== undefined && !deepEqual(revision.data, old.data)) {
      problems.push(invalid("data", revision.data, "field is immutable"));
    }
    return problems;
  },
  columns: [
    {
      name: "Controller",
      cell({ metadata }) {
        const owner = (metadata.ownerReferences ?? []).find(({ controller }) => controller === true);
        if (owner === undefined) return "<none>";
        const group = owner.apiVersion.includes("/") ? `.${owner.apiVersion.split("/")[0]}` : "";
        return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
      },
    },
    { name: "Revision", type: "integer", cell: ({ revision }) => revision },
  ],
});
