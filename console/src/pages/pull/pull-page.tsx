/** One pull request: what is in its way, what it changes, what was said, and the buttons that end it. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { PullCheck, PullDetail } from "#api";
import { pathOf } from "../../data/api.ts";
import { pullQuery } from "../../data/queries.ts";
import { Action } from "../../parts/action.tsx";
import { Fault, Message, Notice, Placeholder } from "../../parts/faults.tsx";
import { PageHead, useTitle } from "../../parts/layout.tsx";
import { Badge, Mark } from "../../parts/mark.tsx";
import { checkState, pullState, pullWord } from "../../parts/states.ts";
import { Ago } from "../../parts/time.tsx";
import { plural, shortSha } from "../../parts/words.ts";
import "./pull.css";

const route = getRouteApi("/pulls/$owner/$name/$number");

export function PullPage() {
  const { owner, name, number } = route.useParams();
  const { data, error } = useQuery(pullQuery(`${owner}/${name}`, number));
  useTitle(data === undefined ? "Pull request" : `#${data.number} ${data.title}`);
  if (data !== undefined) return <Pull pull={data} />;
  return error === null ? <Placeholder rows={5} height={80} /> : <Fault error={error} />;
}

function Pull({ pull }: { pull: PullDetail }) {
  return (
    <div className="page">
      <PullHead pull={pull} />
      {pull.state === "open" && pull.obstacle !== undefined ? <Notice tone="warn">{pull.obstacle}</Notice> : null}
      {pull.body === "" ? null : (
        <section className="panel pull-words" aria-label="Description">
          <Message text={pull.body} />
        </section>
      )}
      <Checks checks={pull.results} />
      <Commits pull={pull} />
      <Files pull={pull} />
      <Conversation pull={pull} />
    </div>
  );
}

function PullHead({ pull }: { pull: PullDetail }) {
  const path = `/repositories/${pathOf(pull.repository)}/pulls/${pull.number}`;
  const into = <>Its changes go into {pull.base}, and what waits for a push to it runs.</>;
  const merge = (method: string): object => ({ method, sha: pull.headSha });
  const ready = pull.state === "open" && pull.obstacle === undefined;
  return (
    <PageHead
      above={<Link to="/pulls">Pull requests</Link>}
      title={
        <>
          {pull.title} <span className="quiet">#{pull.number}</span>
        </>
      }
      below={
        <>
          <Badge state={pullState(pull)}>{pullWord(pull)}</Badge>
          <span>{pull.repository}</span>
          <span>
            <code>{pull.fork === undefined ? pull.head : `${pull.fork}:${pull.head}`}</code> into{" "}
            <code>{pull.base}</code>
          </span>
          <span>
            by {pull.author}, <Ago at={pull.createdAt} />
          </span>
        </>
      }
      actions={
        <>
          {ready ? (
            <>
              <Action label="Merge" tone="main" path={`${path}/merge`} body={merge("merge")} confirm={into} />
              <Action
                label="Squash"
                path={`${path}/merge`}
                body={merge("squash")}
                confirm={<>As one commit. {into}</>}
              />
              <Action label="Rebase" path={`${path}/merge`} body={merge("rebase")} confirm={<>One by one. {into}</>} />
            </>
          ) : null}
          {pull.state === "open" ? (
            <Action label="Close" path={`${path}/close`} confirm={<>It can be reopened.</>} />
          ) : null}
          {pull.state === "closed" ? <Action label="Reopen" path={`${path}/reopen`} /> : null}
        </>
      }
    />
  );
}

function Checks({ checks }: { checks: readonly PullCheck[] }) {
  if (checks.length === 0) return null;
  return (
    <section className="panel" aria-label="Checks">
      <h2 className="panel-head">Checks</h2>
      <ul className="pull-list">
        {checks.map((check, index) => (
          <li key={index}>
            <Mark state={checkState(check)} label={check.state} />
            <span>
              {check.url === undefined ? check.name : <a href={check.url}>{check.name}</a>}
              {check.required ? <span className="quiet"> required</span> : null}
            </span>
            <span className="quiet clip">{check.description}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Commits({ pull }: { pull: PullDetail }) {
  return (
    <section className="panel" aria-label="Commits">
      <h2 className="panel-head">{plural(pull.commits.length, "commit")}</h2>
      <ul className="pull-list">
        {pull.commits.map((commit) => (
          <li key={commit.sha}>
            <code>{shortSha(commit.sha)}</code>
            <span className="clip">{commit.subject}</span>
            <span className="quiet clip">
              {commit.author}, <Ago at={commit.at} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Files({ pull }: { pull: PullDetail }) {
  return (
    <section className="panel" aria-label="Files">
      <h2 className="panel-head">{plural(pull.files.length, "file")}</h2>
      {pull.files.map((file) => (
        <details key={file.path} className="pull-file">
          <summary>
            <code className="clip">{file.path}</code>
            <span className="quiet">
              {file.status}, +{file.additions} −{file.deletions}
            </span>
          </summary>
          {file.patch === undefined ? (
            <p className="quiet">Not shown: it is no text, or too long. Read it with git.</p>
          ) : (
            <pre className="pull-patch">
              {file.patch.split("\n").map((line, index) => (
                <span key={index} className={lineClass(line)}>
                  {`${line}\n`}
                </span>
              ))}
            </pre>
          )}
        </details>
      ))}
    </section>
  );
}

function lineClass(line: string): string | undefined {
  if (line.startsWith("+")) return "pull-added";
  if (line.startsWith("-")) return "pull-removed";
  return line.startsWith("@@") ? "quiet" : undefined;
}

function Conversation({ pull }: { pull: PullDetail }) {
  if (pull.conversation.length === 0) return null;
  return (
    <section className="panel" aria-label="Comments">
      <h2 className="panel-head">{plural(pull.conversation.length, "comment")}</h2>
      {pull.conversation.map(({ author, body, at }, index) => (
        <article key={index} className="pull-words">
          <p className="quiet">
            {author}, <Ago at={at} />
          </p>
          <Message text={body} />
        </article>
      ))}
    </section>
  );
}
