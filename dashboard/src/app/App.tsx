/** The page: joins the session, the address and the theme, and chooses what to show. */
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
import { deviceHref, FLEET_HREF, type Route, replaceRoute, useRoute } from "./route.ts";
import { type Theme, useTheme } from "./theme.ts";
import { useNow } from "./useNow.ts";
import { useSession, type Watch } from "./useSession.ts";

export function App() {
  const watch = useSession();
  const route = useRoute();
  const now = useNow();
  const [theme, chooseTheme] = useTheme();
  const { snapshot, apiKey } = watch;
  const deviceCount = snapshot?.fleet.rows.size ?? 0;
  const state = snapshot === null ? "connecting" : standing(snapshot.link, deviceCount, now);
  return (
    <div className="page" data-device-open={route.deviceId !== null}>
      <Header
        view={route.view}
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
