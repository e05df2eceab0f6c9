/** All applications: what runs where, and whether it is as its repository says. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ApplicationSummary } from "#api";
import { applicationsQuery } from "../../data/queries.ts";
import { Empty, Fault, Placeholder } from "../../parts/faults.tsx";
import { matchesSearch, PageHead, SearchField, useTitle } from "../../parts/layout.tsx";
import { Badge } from "../../parts/mark.tsx";
import { healthState, syncState } from "../../parts/states.ts";
import { shortImage, shortRepository, shortSha } from "../../parts/words.ts";
import { syncWord } from "../application/sync-word.ts";
import "./applications.css";

const route = getRouteApi("/applications");

export function ApplicationsPage() {
  useTitle("Applications");
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error } = useQuery(applicationsQuery);
  return (
    <div className="page">
      <PageHead
        title="Applications"
        below={<span>What runs where, compared with its repository</span>}
        actions={
          <SearchField
            label="Search applications"
            value={q}
            onChange={(value) => void navigate({ search: value === "" ? {} : { q: value }, replace: true })}
          />
        }
      />
      {data !== undefined ? (
        <Applications applications={data} search={q} />
      ) : error === null ? (
        <Placeholder rows={4} height={60} />
      ) : (
        <Fault error={error} />
      )}
    </div>
  );
}

function Applications({ applications, search }: { applications: readonly ApplicationSummary[]; search: string }) {
  if (applications.length === 0) {
    return (
      <Empty title="There is no application yet">
        <p>An Application names a folder of a repository and where it shall run.</p>
        <pre>kubectl apply -f application.yaml</pre>
      </Empty>
    );
  }
  const found = applications.filter((app) =>
    matchesSearch(
      search,
      app.name,
      app.namespace,
      app.repoURL,
      app.path,
      app.sync,
      app.health,
      app.destinationNamespace,
    ),
  );
  if (found.length === 0) return <Empty title={`No application matches “${search}”`} />;
  return (
    <ol className="rows" aria-label="Applications">
      {found.map((app) => (
        <li key={`${app.namespace}/${app.name}`}>
          <ApplicationRow app={app} />
        </li>
      ))}
    </ol>
  );
}

function ApplicationRow({ app }: { app: ApplicationSummary }) {
  return (
    <Link
      to="/applications/$namespace/$name"
      params={{ namespace: app.namespace, name: app.name }}
      data-row
      className="rows-row applications-row"
    >
      <div className="rows-main">
        <span className="rows-title clip">{app.name}</span>
        <span className="rows-sub clip">in {app.destinationNamespace}</span>
      </div>
      <Badge state={healthState(app.health)}>{app.health}</Badge>
      <Badge state={syncState(app.sync)}>{syncWord(app.sync)}</Badge>
      <div className="rows-main">
        <span className="clip" title={app.repoURL}>
          {shortRepository(app.repoURL)}
        </span>
        <span className="rows-sub">
          <span className="clip">{app.path}</span>
          {app.revision === undefined ? null : <code>{shortSha(app.revision)}</code>}
        </span>
      </div>
      <span className="clip applications-images" title={app.images.join("\n")}>
        {app.images.map(shortImage).join(", ")}
      </span>
    </Link>
  );
}
