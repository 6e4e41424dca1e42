/** Starts the page. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { applyStoredTheme } from "./theme.ts";
import "uplot/dist/uPlot.min.css";
import "./styles/base.css";
import "./styles/page.css";
import "./styles/fleet.css";
import "./styles/device.css";
import "./styles/rejects.css";
import "./styles/alerts.css";

applyStoredTheme();
const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
