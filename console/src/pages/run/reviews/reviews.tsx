/** What of a run waits for an environment, for whom, and what was decided. */
import { useQuery } from "@tanstack/react-query";
import type { PendingReview, RunDetail, RunReview } from "#api";
import { pendingQuery, reviewsQuery } from "../../../data/queries.ts";
import { Badge, Mark } from "../../../parts/mark.tsx";
import { Ago } from "../../../parts/time.tsx";
import { ReviewButton } from "./review-button.tsx";
import "./reviews.css";

export function Reviews({ run }: { run: RunDetail }) {
  const { data: pending = [] } = useQuery({ ...pendingQuery(run.id), enabled: run.status !== "completed" });
  const { data: given = [] } = useQuery(reviewsQuery(run.id));
  const waiting = run.status === "completed" ? [] : pending;
  if (waiting.length + given.length === 0) return null;
  return (
    <section className="panel reviews" aria-label="Deployments to environments">
      {waiting.map((item) => (
        <Waiting key={item.environment.name} run={run.id} item={item} />
      ))}
      {given.length === 0 ? null : (
        <ol className="reviews-given" aria-label="Reviews">
          {given.map((review) => (
            <Given key={review.id} review={review} />
          ))}
        </ol>
      )}
    </section>
  );
}

function Waiting({ run, item }: { run: string; item: PendingReview }) {
  const { environment, jobs, since, review, waitsUntil, mayReview, mayForce, reason } = item;
  const forced = !mayReview;
  return (
    <div className="reviews-waiting">
      <Mark state="paused" size={18} />
      <div className="reviews-text">
        <strong>
          {jobs.map(({ name }) => name).join(", ")} {jobs.length === 1 ? "waits" : "wait"} to deploy to{" "}
          {environment.name}
        </strong>
        <span className="quiet">
          {review ? `${people(environment.reviewers)} may approve. ` : ""}
          {waitsUntil === undefined ? null : (
            <>
              The wait timer of {environment.waitMinutes} min ends at <ClockAt at={waitsUntil} />.{" "}
            </>
          )}
          Waiting since <Ago at={since} />.
        </span>
        {review && !mayReview && reason !== undefined ? <span className="quiet">{reason}.</span> : null}
      </div>
      {mayReview || mayForce ? (
        <div className="buttons">
          <ReviewButton run={run} item={item} state="rejected" force={forced} />
          <ReviewButton run={run} item={item} state="approved" force={forced} />
        </div>
      ) : null}
    </div>
  );
}

function Given({ review }: { review: RunReview }) {
  const { state, actor, environment, comment, forced, at, attempt } = review;
  return (
    <li>
      <Badge state={state === "approved" ? "done" : "failed"}>{state === "approved" ? "Approved" : "Rejected"}</Badge>
      <span>
        {environment}, by {actor}
        {forced ? ", passing the rules over" : ""}
        {attempt > 1 ? `, attempt ${attempt}` : ""}
      </span>
      {comment === "" ? null : <q className="reviews-comment">{comment}</q>}
      <span className="quiet">
        <Ago at={at} />
      </span>
    </li>
  );
}

/** `ada, bob or team platform`. */
function people(reviewers: readonly string[]): string {
  const names = reviewers.map((name) => name.replace(/^team:/, "team "));
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1) ?? ""}`;
}

function ClockAt({ at }: { at: string }) {
  const text = new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
  return <time dateTime={at}>{text}</time>;
}
