// Every page of the console, top to bottom.
import { QueryClient } from "@tanstack/react-query";
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { ApiError } from "./api/status";
import { sessionKey } from "./session";
import { NotFound } from "./shell/not-found";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Only what may go better the next time is asked again.
      retry: (count, error) =>
        count < 2 && error instanceof ApiError && [0, 503, 504].includes(error.status.code ?? -1),
      refetchOnWindowFocus: false,
    },
  },
});

type Search = Record<string, unknown>;

function text(value: unknown): string | undefined {
  return typeof value === "string" && value ? value : typeof value === "number" ? String(value) : undefined;
}

/** The filters and the order of a list, named as the API names them. */
function listSearch(search: Search) {
  const name = text(search.name);
  const state = text(search.state);
  const sortBy = text(search.sortBy);
  return {
    ...(name && { name }),
    ...(state && { state }),
    ...(sortBy && { sortBy }),
    ...(search.ascending === false && { ascending: false }),
  };
}

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: (search: Search): { next?: string } => {
    const next = text(search.next);
    return next ? { next } : {};
  },
  component: lazyRouteComponent(() => import("./routes/login"), "Page"),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  beforeLoad: ({ location }) => {
    if (!sessionKey())
      throw redirect({ to: "/login", search: location.pathname === "/" ? {} : { next: location.href } });
  },
  component: lazyRouteComponent(() => import("./shell/frame"), "Frame"),
});

const home = createRoute({
  getParentRoute: () => signedIn,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/clusters", replace: true });
  },
});

const clusters = createRoute({
  getParentRoute: () => signedIn,
  path: "/clusters",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("./routes/clusters/list"), "Page"),
});

const addCluster = createRoute({
  getParentRoute: () => signedIn,
  path: "/clusters/-/add",
  component: lazyRouteComponent(() => import("./routes/add-cluster/page"), "Page"),
});

const cluster = createRoute({
  getParentRoute: () => signedIn,
  path: "/clusters/$name",
  component: lazyRouteComponent(() => import("./routes/clusters/overview"), "Page"),
});

const federatedTypes = createRoute({
  getParentRoute: () => signedIn,
  path: "/federated",
  component: lazyRouteComponent(() => import("./routes/federated/types"), "Page"),
});

const hold = createRoute({
  getParentRoute: () => signedIn,
  path: "/federated/held/$id",
  component: lazyRouteComponent(() => import("./routes/federated/held"), "Page"),
});

const federatedObjects = createRoute({
  getParentRoute: () => signedIn,
  path: "/federated/$resource",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("./routes/federated/list"), "Page"),
});

const newFederated = createRoute({
  getParentRoute: () => signedIn,
  path: "/federated/$resource/new",
  validateSearch: (search: Search): { as?: "yaml" } => (search.as === "yaml" ? { as: "yaml" } : {}),
  component: lazyRouteComponent(() => import("./routes/federated/new"), "Page"),
});

const federatedObject = createRoute({
  getParentRoute: () => signedIn,
  path: "/federated/$resource/$namespace/$name",
  component: lazyRouteComponent(() => import("./routes/federated/detail"), "Page"),
});

const account = createRoute({
  getParentRoute: () => signedIn,
  path: "/account",
  component: lazyRouteComponent(() => import("./routes/account/page"), "Page"),
});

const routeTree = root.addChildren([
  login,
  signedIn.addChildren([
    home,
    clusters,
    addCluster,
    cluster,
    federatedTypes,
    hold,
    federatedObjects,
    newFederated,
    federatedObject,
    account,
  ]),
]);

export const router = createRouter({ routeTree, defaultPreload: "intent", scrollRestoration: true });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
