/** Mutes devices from now on, or from a time on, for some minutes, hours or days. */
import { useState } from "react";
import type { AlertCalls } from "../api/alerts.ts";
import { type Signature, StatementForm } from "./StatementForm.tsx";
import { useAct } from "./useAct.ts";

const LENGTHS: readonly (readonly [number, string])[] = [
  [30, "30 minutes"],
  [60, "1 hour"],
  [4 * 60, "4 hours"],
  [12 * 60, "12 hours"],
  [24 * 60, "1 day"],
  [7 * 24 * 60, "1 week"],
  [30 * 24 * 60, "30 days"],
];

export interface MuteFormProps {
  readonly client: Pick<AlertCalls, "mute">;
  /** Whom to suggest. */
  readonly devices: string;
  readonly signature: Signature;
  readonly onMuted: () => void;
}

export function MuteForm({ client, devices, signature, onMuted }: MuteFormProps) {
  const [chosen, setChosen] = useState(devices);
  const [minutes, setMinutes] = useState(60);
  const [begin, setBegin] = useState("");
  const [done, setDone] = useState(false);
  const act = useAct();
  return (
    <>
      <StatementForm
        label="Reason"
        required
        button="Mute"
        act={act}
        signature={signature}
        onSubmit={(statement, clear) => {
          const from = begin === "" ? null : new Date(begin).getTime();
          const order = { devices: chosen.trim(), from, minutes };
          act.run(
            (signal) => client.mute(order, statement, signal),
            () => {
              clear();
              setDone(true);
              onMuted();
            },
          );
        }}
      >
        <input
          className="statement-devices"
          aria-label="Device, or start of ids with * behind it"
          placeholder="Device, or freezer-*"
          value={chosen}
          onChange={(event) => setChosen(event.target.value)}
          required
          autoComplete="off"
          spellCheck={false}
        />
        <select
          aria-label="How long"
          value={minutes}
          onChange={(event) => setMinutes(Number(event.target.value))}
        >
          {LENGTHS.map(([length, name]) => (
            <option key={length} value={length}>
              {name}
            </option>
          ))}
        </select>
        <label className="statement-begin">
          <span>from now, or from</span>
          <input
            type="datetime-local"
            aria-label="Begin"
            value={begin}
            onChange={(event) => setBegin(event.target.value)}
          />
        </label>
      </StatementForm>
      <p className="hint" role="status">
        {done ? "Muted. Alerts that open or get worse meanwhile are listed and notify nobody." : ""}
      </p>
    </>
  );
}
