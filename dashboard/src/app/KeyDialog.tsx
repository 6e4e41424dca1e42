/** Asks for the API key after a 401; the key goes to its caller and nowhere else. */
import { type FormEvent, useEffect, useRef } from "react";

export interface KeyDialogProps {
  /** A key was sent and not accepted. */
  readonly refused: boolean;
  readonly onKey: (apiKey: string) => void;
}

export function KeyDialog({ refused, onKey }: KeyDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const apiKey = String(new FormData(event.currentTarget).get("api-key") ?? "").trim();
    if (apiKey !== "") {
      onKey(apiKey);
    }
  }

  return (
    <dialog
      ref={dialog}
      className="key-dialog"
      aria-labelledby="key-title"
      onCancel={(event) => event.preventDefault()}
    >
      <form onSubmit={submit}>
        <h2 id="key-title">API key</h2>
        <p>This fleet is not public. Enter the key that its app settings name API_KEY.</p>
        <label htmlFor="api-key">Key</label>
        <input
          id="api-key"
          name="api-key"
          type="password"
          autoComplete="current-password"
          required
          aria-invalid={refused}
          aria-describedby={refused ? "key-refused" : "key-kept"}
        />
        {refused ? (
          <p id="key-refused" className="field-problem" role="alert">
            This key was not accepted.
          </p>
        ) : null}
        <p id="key-kept" className="hint">
          It stays in this tab and is forgotten when you close it.
        </p>
        <button type="submit" className="primary-button">
          Show the fleet
        </button>
      </form>
    </dialog>
  );
}
