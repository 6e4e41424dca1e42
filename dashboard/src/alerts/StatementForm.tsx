/** A line of text and a name, and what is done with them: used wherever the viewer decides something. */
import { type FormEvent, type ReactNode, useState } from "react";
import type { Statement } from "../api/alerts.ts";
import type { Act } from "./useAct.ts";

/** As the API bounds them. */
const MAX_TEXT_CHARS = 500;
const MAX_NAME_CHARS = 100;

/** Who the viewer says they are; it counts where nobody is signed in. */
export interface Signature {
  readonly by: string;
  readonly onBy: (by: string) => void;
}

export interface StatementFormProps {
  readonly label: string;
  readonly required?: boolean;
  readonly button: string;
  readonly act: Act;
  readonly signature: Signature;
  readonly onSubmit: (statement: Statement, clear: () => void) => void;
  /** Further fields, in front of the text. */
  readonly children?: ReactNode;
}

export function StatementForm(props: StatementFormProps) {
  const { label, required = false, button, act, signature, onSubmit, children } = props;
  const [text, setText] = useState("");

  function submit(event: FormEvent): void {
    event.preventDefault();
    onSubmit({ text: text.trim(), by: signature.by.trim() }, () => setText(""));
  }

  return (
    <form className="statement" onSubmit={submit}>
      {children}
      <input
        className="statement-text"
        aria-label={label}
        placeholder={label}
        value={text}
        onChange={(event) => setText(event.target.value)}
        maxLength={MAX_TEXT_CHARS}
        required={required}
        autoComplete="off"
      />
      <input
        className="statement-name"
        aria-label="Your name"
        placeholder="Your name"
        title="Shown to others, and not proven; where you are signed in, that name counts"
        value={signature.by}
        onChange={(event) => signature.onBy(event.target.value)}
        maxLength={MAX_NAME_CHARS}
        autoComplete="name"
      />
      <button type="submit" className="act-button" disabled={act.busy}>
        {button}
      </button>
      {act.problem === null ? null : (
        <p className="field-problem" role="alert">
          {act.problem}
        </p>
      )}
    </form>
  );
}
