/** Who the viewer says they are, kept by this browser. */
import { useCallback, useState } from "react";
import type { Signature } from "../alerts/StatementForm.tsx";
import { readStored, writeStored } from "./storage.ts";

const STORAGE_KEY = "name";

export function useName(): Signature {
  const [by, setBy] = useState(() => readStored("localStorage", STORAGE_KEY) ?? "");
  const onBy = useCallback((name: string) => {
    writeStored("localStorage", STORAGE_KEY, name === "" ? null : name);
    setBy(name);
  }, []);
  return { by, onBy };
}
