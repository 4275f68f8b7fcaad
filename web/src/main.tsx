import "./ui/tokens.css";
import { CSPProvider } from "@base-ui/react/csp-provider";
import { I18nProvider } from "@lingui/react";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { nonce } from "./csp";
import { activate, i18n, preferredLocale } from "./i18n/i18n";
import { queryClient, router } from "./router";
import { onSessionEnd } from "./session";

onSessionEnd(() => {
  queryClient.clear();
  const { pathname, href } = router.state.location;
  if (pathname !== "/login") void router.navigate({ to: "/login", search: { next: href } });
});

const root = document.getElementById("root");
if (!root) throw new Error("the page has no element #root");

await activate(preferredLocale());
createRoot(root).render(
  <StrictMode>
    <I18nProvider i18n={i18n}>
      <CSPProvider nonce={nonce()}>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </CSPProvider>
    </I18nProvider>
  </StrictMode>,
);
