/** What counts as used: everything reachable from the page, the tests and the tool configuration. */
import type { KnipConfig } from "knip";

export default {
  project: ["src/**/*.{ts,tsx}"],
  ignoreExportsUsedInFile: true,
  // Its font is named by a style sheet, which knip does not read.
  ignoreDependencies: ["@fontsource-variable/inter"],
} satisfies KnipConfig;
