/** The browser's storage, which may be switched off: then nothing is kept and nothing breaks. */

type Kind = "localStorage" | "sessionStorage";

export function readStored(kind: Kind, key: string): string | null {
  try {
    return window[kind].getItem(key);
  } catch {
    return null;
  }
}

/** Keeps a value, or forgets it where it is `null`. */
export function writeStored(kind: Kind, key: string, value: string | null): void {
  try {
    if (value === null) {
      window[kind].removeItem(key);
    } else {
      window[kind].setItem(key, value);
    }
  } catch {
    // The choice lasts as long as the page.
  }
}
