/** Pages by address. Each is a file of its own that is loaded when it is gone to, and a moment before when pointed at. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { Fault } from "./parts/faults.tsx";
import { Frame } from "./parts/frame/frame.tsx";
import { NotFound } from "./parts/frame/not-found.tsx";

const root = createRootRoute({ component: Frame, notFoundComponent: NotFound });

/** Search parameters are part of a link people share; what does not fit is dropped. */
function textOf(search: Record<string, unknown>, key: string): string | undefined {
  const value = search[key];
  return typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;
}

interface ListSearch {
  readonly q?: string | undefined;
}

function listSearch(search: Record<string, unknown>): ListSearch {
  const q = textOf(search, "q");
  return q === undefined ? {} : { q };
}

const deliveries = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: (search: Record<string, unknown>): ListSearch & { readonly open?: string | undefined } => {
    const open = textOf(search, "open");
    return { ...listSearch(search), ...(open === undefined ? {} : { open }) };
  },
  component: lazyRouteComponent(() => import("./pages/deliveries/deliveries-page.tsx"), "DeliveriesPage"),
});
const deliveriesAlias = createRoute({
  getParentRoute: () => root,
  path: "/deliveries",
  beforeLoad: () => {
    // oxlint-disable-next-line typescript/only-throw-error -- how this router redirects
    throw redirect({ to: "/", replace: true });
  },
});
const runs = createRoute({
  getParentRoute: () => root,
  path: "/runs",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("./pages/runs/runs-page.tsx"), "RunsPage"),
});
const run = createRoute({
  getParentRoute: () => root,
  path: "/runs/$id",
  validateSearch: (search: Record<string, unknown>): { readonly job?: string | undefined } => {
    const job = textOf(search, "job");
    return job === undefined ? {} : { job };
  },
  component: lazyRouteComponent(() => import("./pages/run/run-page.tsx"), "RunPage"),
});
const pulls = createRoute({
  getParentRoute: () => root,
  path: "/pulls",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("./pages/pulls/pulls-page.tsx"), "PullsPage"),
});
const pull = createRoute({
  getParentRoute: () => root,
  path: "/pulls/$owner/$name/$number",
  component: lazyRouteComponent(() => import("./pages/pull/pull-page.tsx"), "PullPage"),
});
const applications = createRoute({
  getParentRoute: () => root,
  path: "/applications",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("./pages/applications/applications-page.tsx"), "ApplicationsPage"),
});
const application = createRoute({
  getParentRoute: () => root,
  path: "/applications/$namespace/$name",
  validateSearch: (
    search: Record<string, unknown>,
  ): { readonly show?: "diff" | "history" | undefined; readonly resource?: string | undefined } => {
    const show = textOf(search, "show");
    const resource = textOf(search, "resource");
    return {
      ...(show === "diff" || show === "history" ? { show } : {}),
      ...(resource === undefined ? {} : { resource }),
    };
  },
  component: lazyRouteComponent(() => import("./pages/application/application-page.tsx"), "ApplicationPage"),
});
const rollouts = createRoute({
  getParentRoute: () => root,
  path: "/rollouts",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("./pages/rollouts/rollouts-page.tsx"), "RolloutsPage"),
});
const rollout = createRoute({
  getParentRoute: () => root,
  path: "/rollouts/$namespace/$name",
  component: lazyRouteComponent(() => import("./pages/rollout/rollout-page.tsx"), "RolloutPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    deliveries,
    deliveriesAlias,
    runs,
    run,
    pulls,
    pull,
    applications,
    application,
    rollouts,
    rollout,
  ]),
  defaultPreload: "intent",
  scrollRestoration: true,
  defaultErrorComponent: ({ error }) => <Fault error={error instanceof Error ? error : new Error(String(error))} />,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
