/** The page: joins the session, the address and the theme around what there is to see. */
import { standing } from "../live/link.ts";
import { Content } from "./Content.tsx";
import { Footer } from "./Footer.tsx";
import { Header } from "./Header.tsx";
import { KeyDialog } from "./KeyDialog.tsx";
import { useRoute } from "./route.ts";
import { useTheme } from "./theme.ts";
import { useTitle } from "./title.ts";
import { useNow } from "./useNow.ts";
import { useSession } from "./useSession.ts";

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
