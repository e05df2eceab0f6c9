import { useState } from "react";
import type { ApplicationDetail, ResourceDiff } from "#api";
import { useMutation } from "@tanstack/react-query";
import { postJson } from "../../data/api.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { Fault } from "../../parts/faults.tsx";
import { Mark } from "../../parts/mark.tsx";

interface SyncButtonProps {
  readonly app: ApplicationDetail;
  readonly diff: readonly ResourceDiff[] | undefined;
}

const changes = {
  create: { state: "waiting", word: "create" },
  update: { state: "changed", word: "change" },
  prune: { state: "failed", word: "delete" },
  none: { state: "done", word: "leave" },
} as const;

/** Shows what a sync would do before it does it. */
export function SyncButton({ app, diff = [] }: SyncButtonProps) {
  const [asking, setAsking] = useState(false);
  const [prune, setPrune] = useState(false);
  const [revision, setRevision] = useState("");
  const sync = useMutation({
    mutationFn: async () =>
      await postJson(`/applications/${app.namespace}/${app.name}/sync`, {
        prune,
        ...(revision.trim() === "" ? {} : { revision: revision.trim() }),
      }),
    onSuccess: () => setAsking(false),
  });
  const planned = diff.filter(({ change }) => change !== "none" && (change !== "prune" || prune));
  const prunable = diff.filter(({ change }) => change === "prune").length;
  const running = app.operationPhase === "Running";
  return (
    <>
      <button type="button" className="button button-main" disabled={running} onClick={() => setAsking(true)}>
        {running ? "Syncing" : "Sync"}
      </button>
      {asking ? (
        <Dialog
          title={`Sync ${app.name}`}
          onClose={() => {
            setAsking(false);
            sync.reset();
          }}
          footer={
            <>
              <button type="button" className="button" onClick={() => setAsking(false)}>
                Leave it
              </button>
              <button
                type="button"
                className="button button-main"
                disabled={sync.isPending}
                onClick={() => sync.mutate()}
              >
                Sync
              </button>
            </>
          }
        >
          <ul className="sync-plan">
            {planned.length === 0 ? (
              <li className="quiet">Nothing differs now; a sync applies everything again.</li>
            ) : null}
            {planned.map(({ kind, namespace, name, change }) => (
              <li key={`${kind} ${namespace}/${name}`}>
                <Mark state={changes[change].state} size={14} />
                <span>
                  {changes[change].word} {kind} <strong>{name}</strong>
                </span>
              </li>
            ))}
          </ul>
          <label className="sync-option">
            <span>Revision</span>
            <input
              className="field"
              value={revision}
              placeholder={app.targetRevision}
              onChange={(event) => setRevision(event.target.value)}
            />
          </label>
          <label className="sync-check">
            <input type="checkbox" checked={prune} onChange={(event) => setPrune(event.target.checked)} />
            Delete what is no longer in the repository{prunable === 0 ? "" : ` (${prunable})`}
          </label>
          {sync.error === null ? null : <Fault error={sync.error} title="This was refused" />}
        </Dialog>
      ) : null}
    </>
  );
}
