/** The bar at the top: name, what to show, connection, theme, sign-out. */
import type { Standing } from "../live/link.ts";
import { ConnectionState } from "./ConnectionState.tsx";
import icon from "./icon.svg";
import { ALERTS_HREF, FLEET_HREF, REJECTS_HREF, type ViewName } from "./route.ts";
import type { Theme } from "./theme.ts";

export interface HeaderProps {
  readonly view: ViewName;
  /** Open alerts that wait for somebody. */
  readonly waiting: number;
  readonly standing: Standing;
  readonly newestReadingAt: number | null;
  readonly now: number;
  readonly theme: Theme;
  readonly onTheme: (theme: Theme) => void;
  /** Forgets the API key, or `null` while there is none. */
  readonly onSignOut: (() => void) | null;
}

export function Header(props: HeaderProps) {
  const { view, waiting, standing, newestReadingAt, now, theme, onTheme, onSignOut } = props;
  const other = theme === "dark" ? "light" : "dark";
  return (
    <header className="top">
      <h1>
        <img src={icon} alt="" width="20" height="20" />
        <span>Temperature Anomalies</span>
      </h1>
      <nav className="views" aria-label="Views">
        <a href={FLEET_HREF} aria-current={view === "fleet" ? "page" : undefined}>
          Fleet
        </a>
        <a
          href={ALERTS_HREF}
          aria-current={view === "alerts" || view === "mutes" ? "page" : undefined}
        >
          Alerts
          {waiting === 0 ? null : (
            <>
              {" "}
              <span className="count">{waiting}</span>
              <span className="visually-hidden"> waiting</span>
            </>
          )}
        </a>
        <a href={REJECTS_HREF} aria-current={view === "rejects" ? "page" : undefined}>
          Rejects
        </a>
      </nav>
      <ConnectionState standing={standing} newestReadingAt={newestReadingAt} now={now} />
      <div className="top-tools">
        {onSignOut === null ? null : (
          <button type="button" className="quiet-button" onClick={onSignOut}>
            Sign out
          </button>
        )}
        <button
          type="button"
          className="icon-button"
          aria-label={`Use ${other} colors`}
          title={`Use ${other} colors`}
          onClick={() => onTheme(other)}
        >
          <ThemeIcon theme={theme} />
        </button>
      </div>
    </header>
  );
}

function ThemeIcon({ theme }: { theme: Theme }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true">
      {theme === "dark" ? (
        <path d="M8 4.6a3.4 3.4 0 1 0 0 6.8 3.4 3.4 0 0 0 0-6.8ZM8 .8v1.6M8 13.6v1.6M.8 8h1.6M13.6 8h1.6M2.9 2.9l1.1 1.1M12 12l1.1 1.1M2.9 13.1 4 12M12 4l1.1-1.1" />
      ) : (
        <path d="M13.6 9.6A6 6 0 0 1 6.4 2.4a6 6 0 1 0 7.2 7.2Z" />
      )}
    </svg>
  );
}
