/**
 * Why a call to the API failed, in the words shown to people.
 *
 * Callers branch on `kind` only; the message says what failed, for which address, and what next.
 */

export type FailureKind =
  | "unauthorized"
  | "not-found"
  | "unreachable"
  | "refused"
  | "failed"
  | "malformed";

export class ApiFailure extends Error {
  override readonly name = "ApiFailure";

  constructor(
    readonly kind: FailureKind,
    message: string,
  ) {
    super(message);
  }
}

/** Sorts an HTTP status that is no success. */
export function failureOfStatus(path: string, status: number, message: string | null): ApiFailure {
  if (status === 401) {
    return new ApiFailure("unauthorized", "the API asks for a key");
  }
  const kind = status === 404 ? "not-found" : status === 500 ? "failed" : "refused";
  return new ApiFailure(
    kind,
    `${path} answered ${status}${message === null ? "" : `: ${message}`}`,
  );
}

/** The text to show for anything thrown by a call. */
export function describeFailure(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
