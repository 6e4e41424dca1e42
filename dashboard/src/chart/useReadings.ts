/** A device's feed for as long as a component shows it. */
import { useEffect, useRef, useState } from "react";
import type { ApiClient } from "../api/client.ts";
import type { DeviceRow } from "../api/types.ts";
import { type Feed, type FeedState, LOADING, openFeed } from "./feed.ts";
import { type RangeId, spanOf } from "./ranges.ts";

/** `attempt` grows with each retry that the viewer asks for. */
export function useReadings(
  client: ApiClient,
  row: DeviceRow,
  range: RangeId,
  attempt: number,
): FeedState {
  const [state, setState] = useState(LOADING);
  const feed = useRef<Feed | null>(null);
  const { deviceId, timestamp } = row;

  // biome-ignore lint/correctness/useExhaustiveDependencies: another reading is no other feed, and each attempt is one
  useEffect(() => {
    setState(LOADING);
    const span = spanOf(range, timestamp);
    const opened = openFeed({ client, deviceId, span, onChange: setState });
    feed.current = opened;
    return () => opened.close();
  }, [client, deviceId, range, attempt]);

  useEffect(() => feed.current?.offer(row), [row]);
  return state;
}
