/**
 * One HTTP call of the page: its key, its deadline, and its failure in words.
 *
 * Knows no function of the API.
 */
import { errorMessage } from "./answers.ts";
import { DecodeError, type Decoder } from "./decode.ts";
import { ApiFailure, failureOfStatus } from "./failure.ts";

/** Name of the header that carries the API key. */
export const API_KEY_HEADER = "x-api-key";

const DEADLINE_MS = 20_000;

export interface Answer {
  readonly path: string;
  readonly body: unknown;
}

export function decode<T>(answer: Answer, decoder: Decoder<T>): T {
  try {
    return decoder(answer.body, "");
  } catch (thrown) {
    if (thrown instanceof DecodeError) {
      throw new ApiFailure("malformed", `${pathOnly(answer.path)}: ${thrown.message}`);
    }
    throw thrown;
  }
}

export async function getJson(
  path: string,
  apiKey: string | null,
  signal: AbortSignal,
): Promise<Answer> {
  return readJson(path, await get(path, apiKey, signal), signal);
}

/**
 * Does something in somebody's name.
 *
 * A repeat changes nothing, so what came to no answer, or failed after it was stored, is done again
 * once.
 */
export async function postJson(
  path: string,
  body: unknown,
  apiKey: string | null,
  signal: AbortSignal,
): Promise<Answer> {
  const init = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  return readJson(path, await sendAgain(path, apiKey, signal, init), signal);
}

/** Posts something on which nothing depends, waits for no answer, and does it once. */
export function postAside(path: string, apiKey: string | null): void {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
  send(path, apiKey, new AbortController().signal, init).catch(() => undefined);
}

async function sendAgain(
  path: string,
  apiKey: string | null,
  signal: AbortSignal,
  call: Call,
): Promise<Response> {
  try {
    return await send(path, apiKey, signal, call);
  } catch (thrown) {
    if (thrown instanceof ApiFailure && ["unreachable", "failed"].includes(thrown.kind)) {
      return send(path, apiKey, signal, call);
    }
    throw thrown;
  }
}

async function readJson(path: string, response: Response, signal: AbortSignal): Promise<Answer> {
  try {
    return { path, body: await response.json() };
  } catch {
    signal.throwIfAborted();
    throw new ApiFailure("malformed", `${pathOnly(path)} answered something that is not JSON`);
  }
}

export async function get(
  path: string,
  apiKey: string | null,
  signal: AbortSignal,
): Promise<Response> {
  return send(path, apiKey, signal, {});
}

interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function send(
  path: string,
  apiKey: string | null,
  signal: AbortSignal,
  call: Call,
): Promise<Response> {
  const response = await reach(path, apiKey, signal, call);
  if (response.ok) {
    return response;
  }
  const body: unknown = await response.json().catch(() => null);
  throw failureOfStatus(pathOnly(path), response.status, errorMessage(body));
}

async function reach(
  path: string,
  apiKey: string | null,
  signal: AbortSignal,
  call: Call,
): Promise<Response> {
  const key = apiKey === null ? {} : { [API_KEY_HEADER]: apiKey };
  try {
    return await fetch(path, {
      ...call,
      headers: { ...call.headers, ...key },
      signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
      cache: "no-store",
    });
  } catch (thrown) {
    // The caller's own abort is no failure and must not be shown as one.
    signal.throwIfAborted();
    const why =
      thrown instanceof DOMException && thrown.name === "TimeoutError"
        ? `gave no answer within ${DEADLINE_MS / 1000} s`
        : "could not be reached";
    throw new ApiFailure("unreachable", `${pathOnly(path)} ${why}`);
  }
}

function pathOnly(path: string): string {
  return path.split("?", 1)[0] ?? path;
}
