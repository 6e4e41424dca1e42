/** The wall clock as state, so that ages on the page stay true. */
import { useEffect, useState } from "react";

/** Epoch milliseconds, renewed each second. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
