/** The tab's title: how many alerts wait, in front of the page's name. */
import { useEffect } from "react";

const NAME = "Temperature Anomalies";

export function titleOf(waiting: number): string {
  return waiting === 0 ? NAME : `(${waiting}) ${NAME}`;
}

export function useTitle(waiting: number): void {
  useEffect(() => {
    document.title = titleOf(waiting);
  }, [waiting]);
}
