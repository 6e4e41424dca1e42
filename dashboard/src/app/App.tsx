/** The page: joins the session, the address and the theme, and chooses what to show. */
import { AlertDetail } from "../alerts/AlertDetail.tsx";
import { AlertsView } from "../alerts/AlertsView.tsx";
import { MutesView } from "../alerts/MutesView.tsx";
import type { Signature } from "../alerts/StatementForm.tsx";
import type { DeviceRow } from "../api/types.ts";
import { DeviceView } from "../chart/DeviceView.tsx";
import { FleetView } from "../devices/FleetView.tsx";
import { type Link, standing } from "../live/link.ts";
import type { Snapshot } from "../live/session.ts";
import { RejectsView } from "../rejects/RejectsView.tsx";
import { EmptyFleet } from "./EmptyFleet.tsx";
import { Footer } from "./Footer.tsx";
import { Header } from "./Header.tsx";
import { KeyDialog } from "./KeyDialog.tsx";
import {
  alertsHref,
  deviceHref,
  FLEET_HREF,
  MUTES_HREF,
  OPEN_ALERTS,
  type Route,
  replaceRoute,
  useRoute,
} from "./route.ts";
import { type Theme, useTheme } from "./theme.ts";
import { useTitle } from "./title.ts";
import { useName } from "./useName.ts";
import { useNow } from "./useNow.ts";
import { useSession, type Watch } from "./useSession.ts";

export function App() {
  const watch = useSession();
  const route = useRoute();
  const now = useNow();
  const [theme, chooseTheme] = useTheme();
  const { snapshot, apiKey } = watch;
  const deviceCount = snapshot?.fleet.rows.size ?? 0;
  const waiting = snapshot?.summary?.unacknowledgedAlerts ?? 0;
  useTitle(waiting);
  const state = snapshot === null ? "connecting" : standing(snapshot.link, deviceCount, now);
  return (
    <div className="page" data-device-open={route.deviceId !== null || route.alertId !== null}>
      <Header
        view={route.view}
        waiting={waiting}
        standing={state}
        newestReadingAt={snapshot?.fleet.newestReadingAt ?? null}
        now={now}
        theme={theme}
        onTheme={chooseTheme}
        onSignOut={apiKey === null || state === "signed-out" ? null : () => watch.changeKey(null)}
      />
      {snapshot?.problem == null ? null : (
        <Problem text={snapshot.problem} stale={deviceCount > 0} onRetry={watch.refresh} />
      )}
      <main>
        {snapshot === null ? null : (
          <Content snapshot={snapshot} watch={watch} route={route} theme={theme} now={now} />
        )}
      </main>
      <Footer summary={snapshot?.summary ?? null} />
      {state === "signed-out" ? (
        <KeyDialog refused={apiKey !== null} onKey={watch.changeKey} />
      ) : null}
    </div>
  );
}

interface ContentProps {
  readonly snapshot: Snapshot;
  readonly watch: Watch;
  readonly route: Route;
  readonly theme: Theme;
  readonly now: number;
}

function Content({ snapshot, watch, route, theme, now }: ContentProps) {
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

interface AlertsProps {
  readonly news: number;
  readonly watch: Watch;
  readonly route: Route;
  readonly now: number;
}

function Alerts({ news, watch, route, now }: AlertsProps) {
  const signature: Signature = useName();
  const { filter, alertId, range } = route;
  const shared = { client: watch.client, news, now, signature, onActed: watch.refresh };
  if (route.view === "mutes") {
    return <MutesView {...shared} alertsHref={alertsHref(OPEN_ALERTS, null)} />;
  }
  return (
    <>
      <AlertsView
        {...shared}
        filter={filter}
        onFilter={(next) => replaceRoute(alertsHref(next, alertId))}
        chosenId={alertId}
        hrefOf={(id) => alertsHref(filter, id)}
        mutesHref={MUTES_HREF}
      />
      {alertId === null ? null : (
        <AlertDetail
          {...shared}
          alertId={alertId}
          closeHref={alertsHref(filter, null)}
          deviceHrefOf={(id) => deviceHref(id, range)}
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

interface ProblemProps {
  readonly text: string;
  /** Something is on the page, if old. */
  readonly stale: boolean;
  readonly onRetry: () => void;
}

function Problem({ text, stale, onRetry }: ProblemProps) {
  return (
    <p className="notice" role="alert">
      The fleet could not be {stale ? "refreshed" : "loaded"}: {text}.{" "}
      <button type="button" className="link" onClick={onRetry}>
        Try again
      </button>
    </p>
  );
}
