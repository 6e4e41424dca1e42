/**
 * The SignalR connection: negotiates at `/api/negotiate`, hands each valid `update` on, says when
 * people acted, and never gives up.
 *
 * Reports what happens to the connection, but judges nothing and keeps no data.
 */
import {
  DefaultHttpClient,
  HttpError,
  type HttpRequest,
  type HttpResponse,
  type HubConnection,
  HubConnectionBuilder,
  type IRetryPolicy,
  LogLevel,
  NullLogger,
} from "@microsoft/signalr";
import { liveUpdate } from "../api/answers.ts";
import { API_KEY_HEADER } from "../api/request.ts";
import type { LiveUpdate } from "../api/types.ts";
import { retryDelay } from "./retry.ts";

const HUB_URL = "/api";
const UPDATE_TARGET = "update";
const PEOPLE_TARGET = "people";
const NEGOTIATE_DEADLINE_MS = 15_000;

export interface HubListener {
  onConnected(): void;
  onLost(): void;
  onAttemptFailed(): void;
  onUnauthorized(): void;
  onUpdate(update: LiveUpdate): void;
  /** Somebody acknowledged, muted or unmuted something. */
  onPeople(): void;
}

/** Connects and stays connected until the returned function is called. */
export function openHub(apiKey: string | null, listener: HubListener): () => void {
  const stop = new AbortController();
  const client = new OwnOriginKeyClient(apiKey, () => listener.onUnauthorized());
  const connection = new HubConnectionBuilder()
    .withUrl(HUB_URL, {
      httpClient: client,
      // Tokens prove who we are to the SignalR service; its cookies are not wanted.
      withCredentials: false,
      timeout: NEGOTIATE_DEADLINE_MS,
    })
    .withAutomaticReconnect(endlessRetry(() => listener.onAttemptFailed()))
    .configureLogging(LogLevel.None)
    .build();

  connection.on(UPDATE_TARGET, (argument: unknown) => receive(argument, listener));
  connection.on(PEOPLE_TARGET, () => listener.onPeople());
  connection.onreconnecting(() => listener.onLost());
  connection.onreconnected(() => listener.onConnected());
  connection.onclose(() => {
    if (!stop.signal.aborted) {
      listener.onLost();
      void connect(connection, listener, stop.signal);
    }
  });
  void connect(connection, listener, stop.signal);
  return () => {
    stop.abort();
    void connection.stop().catch(() => undefined);
  };
}

function receive(argument: unknown, listener: HubListener): void {
  let update: LiveUpdate;
  try {
    update = liveUpdate(argument, "");
  } catch {
    // A message that cannot be read proves nothing: the page turns to polling by itself.
    return;
  }
  listener.onUpdate(update);
}

/** The library retries lost connections only, so the first one is retried here. */
async function connect(
  connection: HubConnection,
  listener: HubListener,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      await connection.start();
      if (signal.aborted) {
        await connection.stop();
      } else {
        listener.onConnected();
      }
      return;
    } catch {
      if (signal.aborted) {
        return;
      }
      listener.onAttemptFailed();
      await pause(retryDelay(attempt, Math.random()), signal);
    }
  }
}

function endlessRetry(onAttemptFailed: () => void): IRetryPolicy {
  return {
    nextRetryDelayInMilliseconds: ({ previousRetryCount }) => {
      if (previousRetryCount > 0) {
        onAttemptFailed();
      }
      return retryDelay(previousRetryCount, Math.random());
    },
  };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

/**
 * Adds the API key to calls of our own API only.
 *
 * The library's `headers` option would also send it to the SignalR service, which negotiate names.
 */
class OwnOriginKeyClient extends DefaultHttpClient {
  readonly #apiKey: string | null;
  readonly #onUnauthorized: () => void;

  constructor(apiKey: string | null, onUnauthorized: () => void) {
    super(NullLogger.instance);
    this.#apiKey = apiKey;
    this.#onUnauthorized = onUnauthorized;
  }

  override async send(request: HttpRequest): Promise<HttpResponse> {
    const url = new URL(request.url ?? "", window.location.href);
    if (url.origin !== window.location.origin || !url.pathname.startsWith(`${HUB_URL}/`)) {
      return super.send(request);
    }
    const key = this.#apiKey === null ? {} : { [API_KEY_HEADER]: this.#apiKey };
    try {
      return await super.send({ ...request, headers: { ...request.headers, ...key } });
    } catch (thrown) {
      if (thrown instanceof HttpError && thrown.statusCode === 401) {
        this.#onUnauthorized();
      }
      throw thrown;
    }
  }
}
