import { Link } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import type { ApplicationDetail, ResourceDiff, ResourceNode } from "#api";
import { Message } from "../../parts/faults.tsx";
import { type GraphBox, type GraphLine, GraphView } from "../../parts/graph/graph-view.tsx";
import { placeAsTree } from "../../parts/graph/layers.ts";
import { Fact, Facts } from "../../parts/layout.tsx";
import { Badge, Mark } from "../../parts/mark.tsx";
import { healthState, syncState } from "../../parts/states.ts";
import { Ago } from "../../parts/time.tsx";
import { plural } from "../../parts/words.ts";
import { DiffView } from "./diff/diff-view.tsx";
import { idleNodes } from "./idle-nodes.ts";
import { syncWord } from "./sync-word.ts";

const size = { width: 246, height: 54 };
const rootId = "application";
const noNodes: ReadonlySet<string> = new Set();

interface ResourceTreeProps {
  readonly app: ApplicationDetail;
  readonly diffs: readonly ResourceDiff[] | undefined;
  readonly selected: string | undefined;
  readonly onSelect: (uid: string | undefined) => void;
}

export function ResourceTree({ app, diffs, selected, onSelect }: ResourceTreeProps) {
  const [whole, setWhole] = useState(false);
  const idle = useMemo(() => idleNodes(app.tree), [app.tree]);
  const { boxes, lines } = useMemo(() => pictureOf(app, whole ? noNodes : idle), [app, whole, idle]);
  const node = app.tree.find(({ uid }) => uid === selected);
  const choose = useCallback((id: string) => onSelect(id === rootId ? undefined : id), [onSelect]);
  return (
    <div className="tree">
      <section className="panel" aria-label="Resources">
        <GraphView
          label="Resource tree"
          boxes={boxes}
          lines={lines}
          size={size}
          selected={selected}
          onSelect={choose}
        />
        {idle.size === 0 ? null : (
          <p className="tree-note">
            <button type="button" className="button button-bare button-small" onClick={() => setWhole(!whole)}>
              {whole ? "Hide" : "Show"} {plural(idle.size, "scaled-down replica set")}
            </button>
          </p>
        )}
      </section>
      {node === undefined ? null : (
        <Resource node={node} diff={diffs?.find((diff) => isOf(diff, node))} onClose={() => onSelect(undefined)} />
      )}
    </div>
  );
}

function isOf(diff: ResourceDiff, node: ResourceNode): boolean {
  return (
    diff.group === node.group && diff.kind === node.kind && diff.namespace === node.namespace && diff.name === node.name
  );
}

function pictureOf(app: ApplicationDetail, without: ReadonlySet<string>): { boxes: GraphBox[]; lines: GraphLine[] } {
  const tree = app.tree.filter(({ uid }) => !without.has(uid));
  const uids = new Set(tree.map(({ uid }) => uid));
  const parentOf = ({ parentUid }: ResourceNode): string =>
    parentUid !== undefined && uids.has(parentUid) ? parentUid : rootId;
  const placed = placeAsTree([
    { id: rootId, after: [] },
    ...tree.map((node) => ({ id: node.uid, after: [parentOf(node)] })),
  ]);
  const nodes = new Map(tree.map((node) => [node.uid, node]));
  const boxes = placed.map((place): GraphBox => {
    const node = nodes.get(place.id);
    if (node === undefined) return { ...place, label: `Application ${app.name}`, content: <RootBox app={app} /> };
    const label = `${node.kind} ${node.name}, ${node.health ?? "no health"}`;
    return { ...place, label, content: <NodeBox node={node} /> };
  });
  const lines = tree.map((node) => ({ from: parentOf(node), to: node.uid }));
  return { boxes, lines };
}

function RootBox({ app }: { app: ApplicationDetail }) {
  return (
    <>
      <span className="graph-line">
        <Mark state={healthState(app.health)} />
        <span className="graph-name clip">{app.name}</span>
      </span>
      <span className="graph-sub tree-sub">Application</span>
    </>
  );
}

function NodeBox({ node }: { node: ResourceNode }) {
  return (
    <>
      <span className="graph-line">
        <Mark state={node.health === undefined ? "skipped" : healthState(node.health)} />
        <span className="graph-name clip" title={node.name}>
          {node.name}
        </span>
        {node.sync === "OutOfSync" ? <Mark state="changed" label="Out of sync" size={14} /> : null}
      </span>
      <span className="graph-sub tree-sub clip">{[node.kind, ...node.info].join(" · ")}</span>
    </>
  );
}

function Resource({
  node,
  diff,
  onClose,
}: {
  node: ResourceNode;
  diff: ResourceDiff | undefined;
  onClose: () => void;
}) {
  return (
    <aside className="panel tree-resource" aria-label={`${node.kind} ${node.name}`}>
      <header className="panel-head">
        <h2 className="clip">
          <span className="quiet">{node.kind}</span> {node.name}
        </h2>
        <button type="button" data-close className="button button-bare button-small" onClick={onClose}>
          Close
        </button>
      </header>
      <div className="tree-facts">
        <Facts>
          <Fact name="Health">
            {node.health === undefined ? "has none" : <Badge state={healthState(node.health)}>{node.health}</Badge>}
          </Fact>
          {node.sync === undefined ? null : (
            <Fact name="Sync">
              <Badge state={syncState(node.sync)}>{syncWord(node.sync)}</Badge>
            </Fact>
          )}
          <Fact name="Namespace">{node.namespace === "" ? "cluster" : node.namespace}</Fact>
          <Fact name="Kind">
            {node.group === "" ? "" : `${node.group}/`}
            {node.version} {node.kind}
          </Fact>
          {node.createdAt === undefined ? null : (
            <Fact name="Created">
              <Ago at={node.createdAt} />
            </Fact>
          )}
          {node.info.length === 0 ? null : <Fact name="State">{node.info.join(", ")}</Fact>}
        </Facts>
        {node.healthMessage === undefined || node.healthMessage === "" ? null : <Message text={node.healthMessage} />}
        {node.kind === "Rollout" ? (
          <Link to="/rollouts/$namespace/$name" params={{ namespace: node.namespace, name: node.name }}>
            Go to the rollout
          </Link>
        ) : null}
        {diff === undefined || diff.change === "none" ? null : <DiffView diff={diff} sideBySide={false} />}
      </div>
    </aside>
  );
}
