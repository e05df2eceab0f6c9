import { useState } from "react";
import type { ResourceDiff } from "#api";
import { Empty, Fault, Placeholder } from "../../parts/faults.tsx";
import { DiffView } from "./diff/diff-view.tsx";

interface DiffListProps {
  readonly diffs: readonly ResourceDiff[] | undefined;
  readonly error: Error | null;
}

export function DiffList({ diffs, error }: DiffListProps) {
  const [sideBySide, setSideBySide] = useState(true);
  if (diffs === undefined) return error === null ? <Placeholder rows={2} height={160} /> : <Fault error={error} />;
  const different = diffs.filter(({ change }) => change !== "none");
  if (different.length === 0) {
    return (
      <Empty title="Everything runs as the repository says">
        <p>When something differs, this page shows what, line by line.</p>
      </Empty>
    );
  }
  return (
    <div className="diff-list">
      <div className="diff-head">
        <span className="quiet">
          Left: what runs. Right: what the repository says. Fields that others keep are left out.
        </span>
        <button
          type="button"
          className="button button-small"
          aria-pressed={sideBySide}
          onClick={() => setSideBySide(!sideBySide)}
        >
          Side by side
        </button>
      </div>
      {different.map((diff) => (
        <DiffView
          key={`${diff.group}/${diff.kind}/${diff.namespace}/${diff.name}`}
          diff={diff}
          sideBySide={sideBySide}
        />
      ))}
    </div>
  );
}
