/** The session with the API for the key in use; a new key starts a new one. */
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { type ApiClient, createApiClient } from "../api/client.ts";
import { openHub } from "../live/hub.ts";
import { type Session, type Snapshot, startSession } from "../live/session.ts";
import { readStored, writeStored } from "./storage.ts";

/** Kept for this tab only, and gone when it closes. */
const KEY_STORAGE = "api-key";

export interface Watch {
  readonly client: ApiClient;
  readonly snapshot: Snapshot | null;
  readonly apiKey: string | null;
  /** Takes a key, or forgets it. */
  readonly changeKey: (apiKey: string | null) => void;
  readonly refresh: () => void;
}

export function useSession(): Watch {
  const [login, setLogin] = useState(() => ({ apiKey: readStored("sessionStorage", KEY_STORAGE) }));
  const client = useMemo(() => createApiClient(login.apiKey), [login]);
  const [session, setSession] = useState<Session | null>(null);

  useEffect(() => {
    const started = startSession({
      client,
      openHub: (listener) => openHub(login.apiKey, listener),
      now: () => Date.now(),
    });
    setSession(started);
    return () => started.stop();
  }, [client, login]);

  const changeKey = useCallback((apiKey: string | null) => {
    writeStored("sessionStorage", KEY_STORAGE, apiKey);
    // A new object even for the same key: the viewer wants another try.
    setLogin({ apiKey });
  }, []);

  const snapshot = useSyncExternalStore(
    session?.subscribe ?? subscribeToNothing,
    session?.getSnapshot ?? noSnapshot,
  );
  const refresh = useCallback(() => session?.refresh(), [session]);
  return { client, snapshot, apiKey: login.apiKey, changeKey, refresh };
}

function subscribeToNothing(): () => void {
  return () => undefined;
}

function noSnapshot(): Snapshot | null {
  return null;
}
