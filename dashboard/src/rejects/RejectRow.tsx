/** One reject; what the device wrote is text, cut short until someone opens it. */
import type { Reject } from "../api/types.ts";
import { formatInstant } from "../format/times.ts";

/** Characters of an event that are shown at first. */
const SHORT = 160;

export interface RejectRowProps {
  readonly reject: Reject;
  readonly hrefOf: (deviceId: string) => string;
}

export function RejectRow({ reject, hrefOf }: RejectRowProps) {
  const { enqueuedAt, deviceId, reason, detail, partition, sequence, index, count } = reject;
  const part = count === 1 ? "" : `, part ${index + 1} of ${count}`;
  return (
    <tr>
      <td title={`Partition ${partition}, sequence number ${sequence}${part}`}>
        {enqueuedAt === null ? "unknown" : <time>{formatInstant(enqueuedAt)}</time>}
      </td>
      <td>{deviceId === null ? "unknown" : <a href={hrefOf(deviceId)}>{deviceId}</a>}</td>
      <td title={detail}>
        {reason}
        {part === "" ? null : <span className="hint">{part}</span>}
      </td>
      <td>
        <EventText reject={reject} />
      </td>
    </tr>
  );
}

function EventText({ reject }: { reject: Reject }) {
  const { text, cut, detail } = reject;
  if (text === null) {
    return <span className="hint">see the event’s first part</span>;
  }
  const short = text.slice(0, SHORT);
  return (
    <details>
      <summary>
        <code>{short === "" ? "(empty)" : short}</code>
        {text.length > SHORT ? <span className="hint"> …</span> : null}
      </summary>
      <p>{detail}</p>
      <pre>
        <code>{text}</code>
      </pre>
      {cut ? <p className="hint">Longer than 16 KB: the rest was not stored.</p> : null}
    </details>
  );
}
