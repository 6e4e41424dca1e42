/** Chooses by the address what to show of what the session knows. */
import type { DeviceRow } from "../api/types.ts";
import { DeviceView } from "../chart/DeviceView.tsx";
import { FleetView } from "../devices/FleetView.tsx";
import type { Link } from "../live/link.ts";
import type { Snapshot } from "../live/session.ts";
import { RejectsView } from "../rejects/RejectsView.tsx";
import { Alerts } from "./Alerts.tsx";
import { EmptyFleet } from "./EmptyFleet.tsx";
import {
  alertsHref,
  deviceHref,
  FLEET_HREF,
  OPEN_ALERTS,
  type Route,
  replaceRoute,
} from "./route.ts";
import type { Theme } from "./theme.ts";
import type { Watch } from "./useSession.ts";

interface ContentProps {
  readonly snapshot: Snapshot;
  readonly watch: Watch;
  readonly route: Route;
  readonly theme: Theme;
  readonly now: number;
}

export function Content({ snapshot, watch, route, theme, now }: ContentProps) {
  const { fleet, link, summary } = snapshot;
  if (route.view === "rejects") {
    return <RejectsView client={watch.client} hrefOf={(id) => deviceHref(id, route.range)} />;
  }
  if (route.view === "alerts" || route.view === "mutes") {
    return <Alerts news={snapshot.alertNews} watch={watch} route={route} now={now} />;
  }
  if (fleet.rows.size === 0) {
    return <Waiting link={link} />;
  }
  const { deviceId, range } = route;
  return (
    <>
      <FleetView
        rows={fleet.rows}
        fleetNewestAt={fleet.newestReadingAt}
        counts={summary?.devices ?? null}
        chosenId={deviceId}
        hrefOf={(id) => deviceHref(id, range)}
        now={now}
      />
      {deviceId === null ? null : (
        <Chosen
          deviceId={deviceId}
          row={fleet.rows.get(deviceId)}
          watch={watch}
          route={route}
          theme={theme}
        />
      )}
    </>
  );
}

function Waiting({ link }: { link: Link }) {
  if (link.poll === "ok") {
    return <EmptyFleet />;
  }
  // After a failure or a 401 the notice or the dialog says what is the matter.
  return link.poll === "failed" || link.signedOut ? null : (
    <p className="nothing" role="status">
      Loading the fleet…
    </p>
  );
}

interface ChosenProps {
  readonly deviceId: string;
  readonly row: DeviceRow | undefined;
  readonly watch: Watch;
  readonly route: Route;
  readonly theme: Theme;
}

function Chosen({ deviceId, row, watch, route, theme }: ChosenProps) {
  if (row === undefined) {
    return (
      <section className="device">
        <p className="nothing" role="status">
          No device is called “{deviceId}”. <a href={FLEET_HREF}>Show the fleet</a>
        </p>
      </section>
    );
  }
  return (
    <DeviceView
      key={deviceId}
      client={watch.client}
      row={row}
      range={route.range}
      onRange={(range) => replaceRoute(deviceHref(deviceId, range))}
      closeHref={FLEET_HREF}
      alertsHref={alertsHref({ ...OPEN_ALERTS, state: "all", devices: deviceId }, null)}
      theme={theme}
    />
  );
}
