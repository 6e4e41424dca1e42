/** The feed of a filter while a view shows it. */
import { useEffect, useRef, useState } from "react";
import type { AlertFilter } from "../api/alerts.ts";
import type { ApiClient } from "../api/client.ts";
import { EMPTY, type Feed, openFeed } from "./feed.ts";

/** Another `news` means that alerts may have changed. */
export function useFeed(client: ApiClient, filter: AlertFilter, news: number) {
  const [state, setState] = useState(EMPTY);
  const feed = useRef<Feed | null>(null);
  const { state: alertState, acknowledged, severity, devices } = filter;
  useEffect(() => {
    setState(EMPTY);
    const asked = { state: alertState, acknowledged, severity, devices };
    const opened = openFeed({ client, filter: asked, onChange: setState });
    feed.current = opened;
    return () => opened.close();
  }, [client, alertState, acknowledged, severity, devices]);
  const known = useRef(news);
  useEffect(() => {
    if (known.current !== news) {
      known.current = news;
      feed.current?.refresh();
    }
  }, [news]);
  return {
    state,
    more: () => feed.current?.more(),
    refresh: () => feed.current?.refresh(),
  };
}
