/** A score as number and bar; the tick in the middle of the bar is the threshold, 1. */
import { formatScore } from "../format/numbers.ts";

/** Score at the right end of the bar. */
const FULL_SCORE = 2;

export function ScoreBar({ score }: { score: number | null }) {
  const share = score === null ? 0 : Math.min(1, Math.max(0, score / FULL_SCORE));
  return (
    <span className="score" data-above={score !== null && score > 1}>
      <span className="score-number">{formatScore(score)}</span>
      <span className="score-bar" aria-hidden="true">
        <span className="score-fill" style={{ transform: `scaleX(${share})` }} />
        <span className="score-threshold" />
      </span>
    </span>
  );
}
