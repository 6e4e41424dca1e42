/** What scores the readings: the policy and the model, for those who ask. */
import type { Summary } from "../api/types.ts";

/** Enough of a hash to tell two models apart. */
const SHORT_HASH = 8;

export function Footer({ summary }: { summary: Summary | null }) {
  if (summary === null) {
    return <footer className="bottom" />;
  }
  const { policy, model } = summary;
  return (
    <footer className="bottom">
      <span>Policy {policy}</span>
      <span title={`SHA-256 ${model.sha256}`}>Model {model.sha256.slice(0, SHORT_HASH)}</span>
      <span>Window {model.windowLength} readings</span>
    </footer>
  );
}
