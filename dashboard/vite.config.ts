/**
 * How the page is built: a few hashed files under `assets/`, addressed relative to the page, with
 * nothing inlined, so that a strict Content-Security-Policy needs no exception for scripts.
 */
import { readFileSync } from "node:fs";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Where `npm run dev` finds the API; the page itself always calls its own origin. */
const api = process.env.API_URL ?? "http://127.0.0.1:7071";

export default defineConfig({
  base: "./",
  plugins: [react(), fontLicense()],
  build: {
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "assets/licenses.txt" },
  },
  server: { host: "127.0.0.1", proxy: { "/api": api } },
});

/** The font's license has to travel with it; `build.license` knows of scripts only. */
function fontLicense(): Plugin {
  const text = new URL("node_modules/@fontsource-variable/inter/LICENSE", import.meta.url);
  return {
    name: "font-license",
    apply: "build",
    generateBundle() {
      this.emitFile({
        type: "asset",
        fileName: "assets/font-license.txt",
        source: readFileSync(text),
      });
    },
  };
}
