/** What to do while no device has sent anything. */

const EXAMPLE = `{ "deviceId": "d1", "temperature": 21.5, "timestamp": "2026-01-02T03:04:05Z" }`;

export function EmptyFleet() {
  return (
    <section className="empty" aria-labelledby="empty-title">
      <h2 id="empty-title">No devices yet</h2>
      <p>
        A device appears here with its first reading. Send one to the app’s IoT Hub or Event Hub:
      </p>
      <pre>
        <code>{EXAMPLE}</code>
      </pre>
      <p>
        To see a simulated fleet on your own machine, run <code>cargo xtask dev</code>.
      </p>
      <p className="hint">This page fills by itself; there is nothing to reload.</p>
    </section>
  );
}
