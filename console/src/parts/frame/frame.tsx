/** What stays around every page: the way between them, the state of the connection, the keyboard. */
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { connection } from "../../data/live.ts";
import { useObservable } from "../../data/observable.ts";
import { statusQuery } from "../../data/queries.ts";
import { signedOut } from "../../data/session.ts";
import markUrl from "../../../mark.svg";
import { Help } from "./help.tsx";
import { listenForShortcuts } from "./shortcuts.ts";
import { SignIn } from "./sign-in.tsx";
import "./frame.css";

const places = [
  { to: "/", label: "Deliveries", exact: true },
  { to: "/runs", label: "Runs", exact: false },
  { to: "/pulls", label: "Pull requests", exact: false },
  { to: "/applications", label: "Applications", exact: false },
  { to: "/rollouts", label: "Rollouts", exact: false },
] as const;

export function Frame() {
  const [helping, setHelping] = useState(false);
  const navigate = useNavigate();
  const out = useObservable(signedOut);
  useEffect(() => {
    const end = new AbortController();
    listenForShortcuts({ go: (to) => void navigate({ to }), help: () => setHelping(true) }, end.signal);
    return () => end.abort();
  }, [navigate]);
  if (out) return <SignIn />;
  return (
    <>
      <a className="frame-skip" href="#content">
        Skip to the content
      </a>
      <header className="frame">
        <Link to="/" className="frame-name">
          <img src={markUrl} alt="" width="24" height="24" />
          Tidegate
        </Link>
        <nav aria-label="Main">
          {places.map(({ to, label, exact }) => (
            <Link key={to} to={to} activeOptions={{ exact, includeSearch: false }} className="frame-link">
              {label}
            </Link>
          ))}
        </nav>
        <Connection />
        <button type="button" className="button button-bare button-small" onClick={() => setHelping(true)}>
          Keyboard <kbd>?</kbd>
        </button>
      </header>
      <main id="content" tabIndex={-1}>
        <Outlet />
      </main>
      <Footer />
      {helping ? <Help onClose={() => setHelping(false)} /> : null}
    </>
  );
}

/** Quiet: what is shown stays readable while the connection is away. */
function Connection() {
  const state = useObservable(connection);
  const text = state === "lost" ? "Reconnecting; what you see may be old" : state === "open" ? "Live" : "";
  return (
    <span className={`frame-connection frame-connection-${state}`} role="status">
      <i aria-hidden="true" />
      {text}
    </span>
  );
}

function Footer() {
  const { data } = useQuery(statusQuery);
  return (
    <footer className="frame-foot">
      {data === undefined ? null : (
        <>
          <span>Tidegate {data.version}</span>
          <span>Traffic {data.addresses.traffic}</span>
          <span>Kubernetes {data.addresses.kubernetes}</span>
          <span>Registry {data.addresses.registry}</span>
        </>
      )}
    </footer>
  );
}
