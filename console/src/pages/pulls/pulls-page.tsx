/** All pull requests that are open. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { PullSummary } from "#api";
import { pullsQuery } from "../../data/queries.ts";
import { Empty, Fault, Placeholder } from "../../parts/faults.tsx";
import { matchesSearch, PageHead, SearchField, useTitle } from "../../parts/layout.tsx";
import { Mark } from "../../parts/mark.tsx";
import { pullState, pullWord } from "../../parts/states.ts";
import { Ago } from "../../parts/time.tsx";
import "./pulls.css";

const route = getRouteApi("/pulls");

export function PullsPage() {
  useTitle("Pull requests");
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error } = useQuery(pullsQuery);
  return (
    <div className="page">
      <PageHead
        title="Pull requests"
        below={<span>Open ones of all repositories</span>}
        actions={
          <SearchField
            label="Search pull requests"
            value={q}
            onChange={(value) => void navigate({ search: value === "" ? {} : { q: value }, replace: true })}
          />
        }
      />
      {data !== undefined ? (
        <Pulls pulls={data} search={q} />
      ) : error === null ? (
        <Placeholder rows={6} height={60} />
      ) : (
        <Fault error={error} />
      )}
    </div>
  );
}

function Pulls({ pulls, search }: { pulls: readonly PullSummary[]; search: string }) {
  const found = pulls.filter((pull) =>
    matchesSearch(
      search,
      pull.title,
      pull.repository,
      pull.author,
      pull.head,
      pull.fork,
      pullWord(pull),
      `#${pull.number}`,
    ),
  );
  if (pulls.length === 0) return <Empty title="No pull request is open" />;
  if (found.length === 0) return <Empty title={`No pull request matches “${search}”`} />;
  return (
    <ol className="rows" aria-label="Pull requests, the last changed first">
      {found.map((pull) => (
        <li key={`${pull.repository}#${pull.number}`}>
          <PullRow pull={pull} />
        </li>
      ))}
    </ol>
  );
}

function PullRow({ pull }: { pull: PullSummary }) {
  const [owner = "", name = ""] = pull.repository.split("/");
  return (
    <Link
      to="/pulls/$owner/$name/$number"
      params={{ owner, name, number: String(pull.number) }}
      data-row
      className="rows-row pulls-row"
    >
      <Mark state={pullState(pull)} label={pullWord(pull)} size={18} />
      <div className="rows-main">
        <span className="rows-title clip" title={pull.title}>
          {pull.title}
        </span>
        <span className="rows-sub clip">
          {pull.repository} #{pull.number} by {pull.author}
        </span>
      </div>
      <div className="rows-main">
        <span className="clip">
          {pull.fork === undefined ? "" : `${pull.fork}: `}
          {pull.head}
        </span>
        <span className="rows-sub clip">into {pull.base}</span>
      </div>
      <div className="rows-main rows-end">
        <span>{pullWord(pull)}</span>
        <span className="rows-sub">
          <Ago at={pull.updatedAt} />
        </span>
      </div>
    </Link>
  );
}
