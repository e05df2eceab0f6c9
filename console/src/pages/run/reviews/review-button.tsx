/** Approve or reject, with a comment. The keyboard does it all: Enter opens, Ctrl+Enter sends, Escape leaves it. */
import { useMutation } from "@tanstack/react-query";
import { type KeyboardEvent, useState } from "react";
import type { PendingReview } from "#api";
import { postJson } from "../../../data/api.ts";
import { Dialog } from "../../../parts/dialog.tsx";
import { Fault } from "../../../parts/faults.tsx";

interface ReviewButtonProps {
  readonly run: string;
  readonly item: PendingReview;
  readonly state: "approved" | "rejected";
  /** As an administrator who is no reviewer. */
  readonly force: boolean;
}

export function ReviewButton({ run, item, state, force }: ReviewButtonProps) {
  const [asking, setAsking] = useState(false);
  const [comment, setComment] = useState("");
  const { name } = item.environment;
  const review = useMutation({
    mutationFn: async () =>
      await postJson(`/runs/${encodeURIComponent(run)}/reviews`, { state, environments: [name], comment, force }),
    onSuccess: () => setAsking(false),
  });
  const verb = state === "approved" ? "Approve" : "Reject";
  const tone = state === "rejected" ? "button-danger" : force ? "" : "button-main";
  function close(): void {
    setAsking(false);
    review.reset();
  }
  function sendOnEnter(event: KeyboardEvent): void {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !review.isPending) review.mutate();
  }
  return (
    <>
      <button type="button" data-row className={`button ${tone}`} onClick={() => setAsking(true)}>
        {verb}
      </button>
      {asking ? (
        <Dialog
          title={`${verb} the deployment to ${name}?`}
          onClose={close}
          footer={
            <>
              <button type="button" className="button" onClick={close}>
                Leave it
              </button>
              <button
                type="button"
                className={`button ${state === "rejected" ? "button-danger" : "button-main"}`}
                disabled={review.isPending}
                onClick={() => review.mutate()}
              >
                {verb}
              </button>
            </>
          }
        >
          <p>{consequence(item, state)}</p>
          {force ? (
            <p className="reviews-force">As an administrator you pass over the rules of {name}. That is recorded.</p>
          ) : null}
          <label className="reviews-field">
            <span>Comment</span>
            <textarea
              className="field"
              rows={3}
              maxLength={2000}
              ref={takeFocus}
              value={comment}
              onChange={(event) => setComment(event.target.value)}
              onKeyDown={sendOnEnter}
            />
          </label>
          {review.error === null ? null : <Fault error={review.error} title="This was refused" />}
        </Dialog>
      ) : null}
    </>
  );
}

/** The attribute itself, which React does not write: a dialog gives the focus to what has it when it opens. */
function takeFocus(field: HTMLTextAreaElement | null): void {
  field?.setAttribute("autofocus", "");
}

function consequence({ jobs, environment }: PendingReview, state: "approved" | "rejected"): string {
  const names = jobs.map(({ name }) => name).join(", ");
  if (state === "rejected") return `${names} ${jobs.length === 1 ? "fails" : "fail"}, and so does the run.`;
  return `${names} ${jobs.length === 1 ? "goes" : "go"} on and ${jobs.length === 1 ? "gets" : "get"} the secrets of ${environment.name}.`;
}
