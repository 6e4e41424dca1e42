/** Something that the viewer does through the API: once at a time, with its failure in words. */
import { useCallback, useEffect, useRef, useState } from "react";
import { describeFailure } from "../api/failure.ts";

export interface Act {
  readonly busy: boolean;
  readonly problem: string | null;
  /** Does it; `done` is called when it succeeded. */
  readonly run: <T>(call: (signal: AbortSignal) => Promise<T>, done: (result: T) => void) => void;
}

export function useAct(): Act {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const left = useRef<AbortController | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    left.current = controller;
    return () => controller.abort();
  }, []);

  const run: Act["run"] = useCallback((call, done) => {
    const signal = left.current?.signal;
    if (signal === undefined) {
      return;
    }
    setBusy(true);
    setProblem(null);
    call(signal)
      .then(done)
      .catch((thrown: unknown) => {
        if (!signal.aborted) {
          setProblem(describeFailure(thrown));
        }
      })
      .finally(() => setBusy(false));
  }, []);
  return { busy, problem, run };
}
