import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { followChanges } from "./data/live.ts";
import { queryClient } from "./data/queries.ts";
import { router } from "./router.tsx";
import "./styles/tokens.css";
import "./styles/base.css";
import "./parts/button.css";
import "./parts/layout.css";

const place = document.querySelector("#root");
if (place === null) throw new Error("The page has no place for the console");
followChanges();
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
