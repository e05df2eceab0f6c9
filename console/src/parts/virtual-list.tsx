/** A list of any length of which only the rows in sight exist. All rows are of one height, which makes it exact. */
import { type ReactNode, type Ref, useImperativeHandle, useLayoutEffect, useRef, useState } from "react";
import "./virtual-list.css";

export interface VirtualListHandle {
  /** Brings a row to the middle, if it is not in sight already. */
  reveal(row: number): void;
  toStart(row: number): void;
}

interface VirtualListProps {
  readonly count: number;
  readonly rowHeight: number;
  readonly label: string;
  readonly renderRow: (row: number) => ReactNode;
  readonly ref?: Ref<VirtualListHandle>;
  /** Stays at the end while the list grows. */
  readonly following: boolean;
  /** The reader came to the end or left it. */
  readonly onFollow: (following: boolean) => void;
}

const overscan = 16;

export function VirtualList(props: VirtualListProps) {
  const { count, rowHeight, label, renderRow, ref, following, onFollow } = props;
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ first: 0, rows: 60 });

  function look(): void {
    const element = box.current;
    if (element === null) return;
    const first = Math.floor(element.scrollTop / rowHeight);
    const rows = Math.ceil(element.clientHeight / rowHeight) + 1;
    setSeen((old) => (old.first === first && old.rows === rows ? old : { first, rows }));
  }

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  });

  useLayoutEffect(() => {
    if (following && box.current !== null) box.current.scrollTop = count * rowHeight;
    look();
  });

  useImperativeHandle(ref, () => ({
    reveal(row) {
      const element = box.current;
      if (element === null) return;
      const top = row * rowHeight;
      const inSight = top >= element.scrollTop && top + rowHeight <= element.scrollTop + element.clientHeight;
      if (!inSight) element.scrollTop = top - (element.clientHeight - rowHeight) / 2;
    },
    toStart(row) {
      if (box.current !== null) box.current.scrollTop = row * rowHeight;
    },
  }));

  function onScroll(): void {
    const element = box.current;
    if (element === null) return;
    look();
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - rowHeight;
    if (atEnd !== following) onFollow(atEnd);
  }

  const first = Math.max(0, Math.min(seen.first, count - 1) - overscan);
  const last = Math.min(count, seen.first + seen.rows + overscan);
  const rows: ReactNode[] = [];
  for (let row = first; row < last; row++) rows.push(renderRow(row));
  return (
    // A scrolled region must be reachable by keyboard to be scrolled by it.
    <div className="virtual-list" ref={box} onScroll={onScroll} role="region" aria-label={label} tabIndex={0}>
      <div className="virtual-list-all" style={{ height: count * rowHeight }}>
        <div className="virtual-list-seen" style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {rows}
        </div>
      </div>
    </div>
  );
}
