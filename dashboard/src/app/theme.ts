/** Light or dark: the system's choice until the viewer makes one, which this browser keeps. */
import { useCallback, useState, useSyncExternalStore } from "react";
import { readStored, writeStored } from "./storage.ts";

export type Theme = "light" | "dark";

const STORAGE_KEY = "theme";
const DARK_QUERY = "(prefers-color-scheme: dark)";

/** Puts a choice made earlier in force; called before the first drawing. */
export function applyStoredTheme(): void {
  const stored = storedTheme();
  if (stored !== null) {
    document.documentElement.dataset.theme = stored;
  }
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const systemIsDark = useSyncExternalStore(subscribe, () => matchMedia(DARK_QUERY).matches);
  const [chosen, setChosen] = useState(storedTheme);
  const choose = useCallback((theme: Theme) => {
    writeStored("localStorage", STORAGE_KEY, theme);
    document.documentElement.dataset.theme = theme;
    setChosen(theme);
  }, []);
  return [chosen ?? (systemIsDark ? "dark" : "light"), choose];
}

function storedTheme(): Theme | null {
  const stored = readStored("localStorage", STORAGE_KEY);
  return stored === "light" || stored === "dark" ? stored : null;
}

function subscribe(listener: () => void): () => void {
  const query = matchMedia(DARK_QUERY);
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}
