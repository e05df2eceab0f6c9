/** The head of a page, and the search field of lists. */
import type { ReactNode } from "react";
import { useEffect } from "react";

/** The tab's title: what this page is about, then what it is part of. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Tidegate`;
  }, [title]);
}

interface PageHeadProps {
  readonly title: ReactNode;
  /** The way back. */
  readonly above?: ReactNode;
  readonly below?: ReactNode;
  readonly actions?: ReactNode;
}

export function PageHead({ title, above, below, actions }: PageHeadProps) {
  return (
    <header className="page-head">
      <div className="page-head-text">
        {above === undefined ? null : <div className="page-head-above">{above}</div>}
        <h1>{title}</h1>
        {below === undefined ? null : <div className="page-head-below">{below}</div>}
      </div>
      {actions === undefined ? null : <div className="buttons">{actions}</div>}
    </header>
  );
}

interface SearchFieldProps {
  readonly value: string;
  readonly label: string;
  readonly onChange: (value: string) => void;
}

export function SearchField({ value, label, onChange }: SearchFieldProps) {
  return (
    <input
      className="field search-field"
      type="search"
      data-search
      aria-label={label}
      placeholder={`${label}  /`}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

/** Label and value pairs in a line that wraps. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="facts">{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Whether every word of the search is somewhere in the texts. */
export function matchesSearch(search: string, ...texts: readonly (string | undefined)[]): boolean {
  const text = texts.join("\n").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
