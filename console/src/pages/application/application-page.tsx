/** One application: what it should be, what it is, and what differs. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { KeyboardEvent } from "react";
import type { ApplicationDetail } from "#api";
import { applicationDiffQuery, applicationQuery } from "../../data/queries.ts";
import { Action } from "../../parts/action.tsx";
import { Fault, Message, Notice, Placeholder } from "../../parts/faults.tsx";
import { Fact, Facts, PageHead, useTitle } from "../../parts/layout.tsx";
import { Badge } from "../../parts/mark.tsx";
import { healthState, phaseState, syncState } from "../../parts/states.ts";
import { Ago } from "../../parts/time.tsx";
import { shortImage, shortRepository, shortSha } from "../../parts/words.ts";
import { DiffList } from "./diff-list.tsx";
import { HistoryList } from "./history-list.tsx";
import { ResourceTree } from "./resource-tree.tsx";
import { SyncButton } from "./sync-button.tsx";
import { syncWord } from "./sync-word.ts";
import "./application.css";

const route = getRouteApi("/applications/$namespace/$name");

export function ApplicationPage() {
  const { namespace, name } = route.useParams();
  const { data, error } = useQuery(applicationQuery(`${namespace}/${name}`));
  useTitle(name);
  if (data !== undefined) return <Application app={data} />;
  return error === null ? <Placeholder rows={5} height={100} /> : <Fault error={error} />;
}

function Application({ app }: { app: ApplicationDetail }) {
  const key = `${app.namespace}/${app.name}`;
  const { show = "tree", resource } = route.useSearch();
  const navigate = route.useNavigate();
  const diff = useQuery(applicationDiffQuery(key));
  const different = diff.data?.filter(({ change }) => change !== "none").length ?? 0;
  const go = (next: "tree" | "diff" | "history"): void =>
    void navigate({ search: next === "tree" ? {} : { show: next }, replace: true, resetScroll: false });
  return (
    <div className="page">
      <PageHead
        above={
          <>
            <Link to="/applications">Applications</Link> / {app.namespace}
          </>
        }
        title={app.name}
        below={
          <>
            <Badge state={healthState(app.health)}>{app.health}</Badge>
            <Badge state={syncState(app.sync)}>
              {syncWord(app.sync)}
              {app.revision === undefined ? "" : ` at ${shortSha(app.revision)}`}
            </Badge>
            <span>{app.automated ? "syncs by itself" : "syncs when asked"}</span>
          </>
        }
        actions={
          <>
            <Action label="Refresh" path={`/applications/${key}/refresh`} />
            <SyncButton app={app} diff={diff.data} />
          </>
        }
      />
      <Conditions app={app} />
      <Facts>
        <Fact name="Repository">{shortRepository(app.repoURL)}</Fact>
        <Fact name="Folder">{app.path}</Fact>
        <Fact name="Follows">{app.targetRevision}</Fact>
        <Fact name="Runs in">{app.destinationNamespace}</Fact>
        <LastSync app={app} />
        <Fact name="Images">{app.images.length === 0 ? "none yet" : app.images.map(shortImage).join(", ")}</Fact>
      </Facts>
      <div className="tabs" role="tablist" aria-label="Views" onKeyDown={moveBetweenTabs}>
        <Tab label="Resources" count={app.tree.length} selected={show === "tree"} onSelect={() => go("tree")} />
        <Tab label="Differences" count={different} selected={show === "diff"} onSelect={() => go("diff")} />
        <Tab label="History" count={app.history.length} selected={show === "history"} onSelect={() => go("history")} />
      </div>
      <div role="tabpanel" aria-label={show}>
        {show === "tree" ? (
          <ResourceTree
            app={app}
            diffs={diff.data}
            selected={resource}
            onSelect={(id) =>
              void navigate({ search: id === undefined ? {} : { resource: id }, replace: true, resetScroll: false })
            }
          />
        ) : show === "diff" ? (
          <DiffList diffs={diff.data} error={diff.error} />
        ) : (
          <HistoryList app={app} />
        )}
      </div>
    </div>
  );
}

/** The arrow keys go from tab to tab, as people who use a tab list expect. */
function moveBetweenTabs(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step === undefined) return;
  const tabs = [...event.currentTarget.querySelectorAll<HTMLElement>("[role=tab]")];
  const next = tabs.findIndex((tab) => tab === document.activeElement) + step;
  tabs[(next + tabs.length) % tabs.length]?.focus();
}

interface TabProps {
  readonly label: string;
  readonly count: number;
  readonly selected: boolean;
  readonly onSelect: () => void;
}

function Tab({ label, count, selected, onSelect }: TabProps) {
  return (
    <button type="button" role="tab" aria-selected={selected} onClick={onSelect}>
      {label}
      <span className="count">{count}</span>
    </button>
  );
}

/** What stands in the way, before anything else: that is what people come here for when something is wrong. */
function Conditions({ app }: { app: ApplicationDetail }) {
  const phase = app.operationPhase;
  const failed = phase === "Failed" || phase === "Error";
  return (
    <>
      {app.conditions.map(({ type, message, at }) => (
        <Notice key={`${type} ${message}`} tone={/Error|Invalid/.test(type) ? "bad" : "warn"} title={type}>
          <Message text={message} />
          {at === undefined ? null : (
            <span className="quiet">
              <Ago at={at} />
            </span>
          )}
        </Notice>
      ))}
      {failed ? (
        <Notice tone="bad" title={`The last sync ended as ${phase}`}>
          <Message text={app.operationMessage ?? ""} />
        </Notice>
      ) : null}
    </>
  );
}

function LastSync({ app }: { app: ApplicationDetail }) {
  const { operationPhase: phase, operationMessage, operationStartedAt } = app;
  if (phase === undefined) return null;
  return (
    <Fact name="Last sync">
      <span className="last-sync" title={operationMessage}>
        <Badge state={phaseState(phase)}>{phase}</Badge>
        {operationStartedAt === undefined ? null : (
          <span className="quiet">
            <Ago at={operationStartedAt} />
          </span>
        )}
      </span>
    </Fact>
  );
}
