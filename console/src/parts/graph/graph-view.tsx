/** Boxes with lines between them. Knows nothing of what the boxes are; loaded only by pages that draw some. */
import { Handle, type Node, type NodeProps, Position, ReactFlow } from "@xyflow/react";
import { type ReactNode, useMemo } from "react";
import type { Placed } from "./layers.ts";
import "@xyflow/react/dist/base.css";
import "./graph.css";

export interface GraphBox extends Placed {
  readonly content: ReactNode;
  /** What a screen reader says of it. */
  readonly label: string;
  readonly className?: string;
}

export interface GraphLine {
  readonly from: string;
  readonly to: string;
  readonly className?: string;
}

interface GraphViewProps {
  readonly label: string;
  readonly boxes: readonly GraphBox[];
  readonly lines: readonly GraphLine[];
  readonly size: { readonly width: number; readonly height: number };
  readonly selected?: string | undefined;
  readonly onSelect: (id: string) => void;
}

interface BoxData extends Record<string, unknown> {
  readonly box: GraphBox;
  readonly selected: boolean;
  readonly onSelect: (id: string) => void;
}

const gap = { x: 52, y: 14 };
const margin = 20;
const nodeTypes = { box: Box };

export function GraphView({ label, boxes, lines, size, selected, onSelect }: GraphViewProps) {
  const nodes = useMemo(
    () =>
      boxes.map((box): Node<BoxData> => ({
        id: box.id,
        type: "box",
        position: { x: box.column * (size.width + gap.x), y: box.row * (size.height + gap.y) },
        width: size.width,
        height: size.height,
        data: { box, selected: box.id === selected, onSelect },
      })),
    [boxes, size, selected, onSelect],
  );
  const edges = useMemo(
    () =>
      lines.map(({ from, to, className = "" }) => ({
        id: `${from}→${to}`,
        source: from,
        target: to,
        className,
        focusable: false,
      })),
    [lines],
  );
  const rows = Math.max(0, ...boxes.map(({ row }) => row)) + 1;
  const height = Math.min(rows * (size.height + gap.y) - gap.y + margin * 2, 620);
  // Another set of boxes is another picture, which is fitted anew; a changed state is not.
  const picture = boxes.map(({ id }) => id).join(" ");
  return (
    <div className="graph" style={{ height }} role="group" aria-label={label}>
      <ReactFlow
        key={picture}
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        fitView
        fitViewOptions={{ maxZoom: 1, padding: `${margin}px` }}
        minZoom={0.3}
        maxZoom={1.5}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        zoomOnScroll={false}
        zoomOnDoubleClick={false}
        preventScrolling={false}
        proOptions={{ hideAttribution: true }}
        disableKeyboardA11y
      />
    </div>
  );
}

function Box({ data: { box, selected, onSelect } }: NodeProps<Node<BoxData>>) {
  return (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <button
        type="button"
        className={`graph-box nopan ${box.className ?? ""}`}
        aria-label={box.label}
        aria-pressed={selected}
        onClick={() => onSelect(box.id)}
      >
        {box.content}
      </button>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </>
  );
}
