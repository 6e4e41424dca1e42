/**
 * The calls about alerts and mutes: listing, and what the viewer decides.
 *
 * A call that decides something may be repeated: the API does it once. After its success others are
 * told, by a call of its own that may fail: they would look again by themselves, only later.
 */
import { acknowledgeResults, alertPage, muteAnswer, muteList } from "./answers.ts";
import { type Answer, decode, getJson, postAside, postJson } from "./request.ts";
import type { AcknowledgeResult, Alert, AlertPage, Mute } from "./types.ts";

const ALERTS_PER_PAGE = 100;
const MOST_MUTES = 1_000;

/** Which alerts to fetch; an empty text does not filter. */
export interface AlertFilter {
  readonly state: "open" | "closed" | "all";
  readonly acknowledged: "true" | "false" | "";
  readonly severity: "warning" | "critical" | "";
  /** A device's id, or what ids begin with before a `*`. */
  readonly devices: string;
}

/** What the viewer has to say, and who they say they are. */
export interface Statement {
  readonly text: string;
  /** Counts where nobody is signed in; may be empty. */
  readonly by: string;
}

export interface MuteOrder {
  /** A device's id, what ids begin with before a `*`, or `*` for all. */
  readonly devices: string;
  /** Epoch milliseconds; `null` is now, by the API's clock and not by the viewer's. */
  readonly from: number | null;
  readonly minutes: number;
}

export interface AlertCalls {
  /** One page of alerts, newest first, from the cursor `after` on. */
  listAlerts(filter: AlertFilter, after: string | null, signal: AbortSignal): Promise<AlertPage>;
  /** One alert whatever its state, or `null` where there is none. */
  findAlert(alertId: string, signal: AbortSignal): Promise<Alert | null>;
  acknowledge(
    alertIds: readonly string[],
    statement: Statement,
    signal: AbortSignal,
  ): Promise<readonly AcknowledgeResult[]>;
  /** Takes back that somebody took note. */
  takeBack(alertId: string, statement: Statement, signal: AbortSignal): Promise<void>;
  listMutes(signal: AbortSignal): Promise<readonly Mute[]>;
  mute(order: MuteOrder, statement: Statement, signal: AbortSignal): Promise<Mute>;
  unmute(muteId: string, by: string, signal: AbortSignal): Promise<Mute>;
}

export function createAlertCalls(apiKey: string | null): AlertCalls {
  return {
    listAlerts: async (filter, after, signal) =>
      decode(await getJson(alertsPath(filter, after), apiKey, signal), alertPage),
    findAlert: async (alertId, signal) => {
      const path = `/api/alerts?${new URLSearchParams({ alertId })}`;
      return decode(await getJson(path, apiKey, signal), alertPage).alerts[0] ?? null;
    },
    acknowledge: async (alertIds, { text, by }, signal) => {
      const body = { alertIds, note: text, ...named(by) };
      return decode(await act("/api/alerts/acknowledge", body, apiKey, signal), acknowledgeResults);
    },
    takeBack: async (alertId, { text, by }, signal) => {
      const body = { alertIds: [alertId], acknowledged: false, note: text, ...named(by) };
      decode(await act("/api/alerts/acknowledge", body, apiKey, signal), acknowledgeResults);
    },
    listMutes: async (signal) =>
      decode(await getJson(`/api/mutes?limit=${MOST_MUTES}`, apiKey, signal), muteList),
    mute: async (order, { text, by }, signal) => {
      const { devices, from, minutes } = order;
      const begin = from === null ? {} : { from };
      const body = { devices, ...begin, minutes, reason: text, ...named(by) };
      return decode(await act("/api/mutes", body, apiKey, signal), muteAnswer);
    },
    unmute: async (muteId, by, signal) => {
      const body = { muteId, ...named(by) };
      return decode(await act("/api/mutes/end", body, apiKey, signal), muteAnswer);
    },
  };
}

async function act(
  path: string,
  body: unknown,
  apiKey: string | null,
  signal: AbortSignal,
): Promise<Answer> {
  const answer = await postJson(path, body, apiKey, signal);
  postAside("/api/acts/announce", apiKey);
  return answer;
}

function named(by: string): { by?: string } {
  return by === "" ? {} : { by };
}

function alertsPath(filter: AlertFilter, after: string | null): string {
  const { state, acknowledged, severity, devices } = filter;
  const query = new URLSearchParams({ state, limit: String(ALERTS_PER_PAGE) });
  const isPrefix = devices.endsWith("*");
  const optional = {
    acknowledged,
    severity,
    deviceId: isPrefix ? "" : devices,
    prefix: isPrefix ? devices.slice(0, -1) : "",
    after: after ?? "",
  };
  for (const [name, value] of Object.entries(optional)) {
    if (value !== "") {
      query.set(name, value);
    }
  }
  return `/api/alerts?${query}`;
}
