/**
 * What the page may claim about its connection: a state machine fed by the hub and the polls.
 *
 * Pure: events carry their own time (milliseconds of one clock). Knows neither sockets nor words;
 * it says `live` only when live messages do come.
 */

/** An update older than this no longer proves that the live path works. */
export const UPDATE_FRESH_MS = 15_000;
const POLL_SLOW_MS = 30_000;
const POLL_FAST_MS = 10_000;
/** Attempts to reach the hub before the page stops calling it a short interruption. */
const PATIENCE_ATTEMPTS = 3;

type Hub = "connecting" | "connected" | "reconnecting" | "unavailable";

export interface Link {
  readonly hub: Hub;
  readonly failedAttempts: number;
  /** When the hub connected or the last update came: since then silence is counted. */
  readonly heardAt: number | null;
  readonly updateAt: number | null;
  /** A poll found readings that live messages should have brought. */
  readonly missedLive: boolean;
  readonly poll: "none" | "ok" | "failed";
  readonly signedOut: boolean;
}

export const NEW_LINK: Link = {
  hub: "connecting",
  failedAttempts: 0,
  heardAt: null,
  updateAt: null,
  missedLive: false,
  poll: "none",
  signedOut: false,
};

export type LinkEvent =
  | { readonly type: "hub-connected"; readonly at: number }
  | { readonly type: "hub-lost" }
  | { readonly type: "hub-attempt-failed" }
  | { readonly type: "update"; readonly at: number }
  | { readonly type: "poll-ok"; readonly at: number; readonly foundNews: boolean }
  | { readonly type: "poll-failed" }
  | { readonly type: "unauthorized" };

export function nextLink(link: Link, event: LinkEvent): Link {
  switch (event.type) {
    case "hub-connected":
      return {
        ...link,
        hub: "connected",
        failedAttempts: 0,
        heardAt: event.at,
        updateAt: null,
        missedLive: false,
      };
    case "hub-lost":
      return { ...link, hub: "reconnecting" };
    case "hub-attempt-failed":
      return attemptFailed(link);
    case "update":
      return { ...link, heardAt: event.at, updateAt: event.at, missedLive: false };
    case "poll-ok": {
      const overdue = isQuiet(link, event.at);
      return { ...link, poll: "ok", missedLive: link.missedLive || (overdue && event.foundNews) };
    }
    case "poll-failed":
      return { ...link, poll: "failed" };
    case "unauthorized":
      return { ...link, signedOut: true };
  }
}

function attemptFailed(link: Link): Link {
  const failedAttempts = link.failedAttempts + 1;
  const hub = failedAttempts >= PATIENCE_ATTEMPTS ? "unavailable" : link.hub;
  return { ...link, failedAttempts, hub };
}

/** No update for so long that the live path may be stuck. */
function isQuiet(link: Link, now: number): boolean {
  return link.heardAt === null || now - link.heardAt > UPDATE_FRESH_MS;
}

/** Milliseconds between polls: seldom while live messages come, often while they do not. */
export function pollInterval(link: Link, now: number): number {
  const fresh = link.hub === "connected" && !isQuiet(link, now);
  return fresh && link.poll === "ok" ? POLL_SLOW_MS : POLL_FAST_MS;
}

/**
 * The states that the page shows.
 *
 * `quiet`: connected, and polls confirm that there is nothing new. `delayed`: readings come, but
 * only by polling. `reconnecting`: the same for a short interruption. `offline`: nothing comes.
 */
export type Standing =
  | "connecting"
  | "live"
  | "quiet"
  | "delayed"
  | "reconnecting"
  | "offline"
  | "signed-out"
  | "no-data";

export function standing(link: Link, deviceCount: number, now: number): Standing {
  if (link.signedOut) {
    return "signed-out";
  }
  const updatesCome =
    link.hub === "connected" && link.updateAt !== null && now - link.updateAt <= UPDATE_FRESH_MS;
  if (link.poll === "failed" && !updatesCome) {
    return "offline";
  }
  if (link.poll === "none") {
    return "connecting";
  }
  if (deviceCount === 0) {
    return "no-data";
  }
  if (updatesCome) {
    return "live";
  }
  return standingWithoutUpdates(link);
}

function standingWithoutUpdates(link: Link): Standing {
  switch (link.hub) {
    case "connected":
      return link.missedLive ? "delayed" : "quiet";
    case "connecting":
      return "connecting";
    case "reconnecting":
      return "reconnecting";
    case "unavailable":
      return "delayed";
  }
}
