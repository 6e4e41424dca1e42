/** Alerts, or mutes, as the address asks for them, in the viewer's name. */
import { AlertDetail } from "../alerts/AlertDetail.tsx";
import { AlertsView } from "../alerts/AlertsView.tsx";
import { MutesView } from "../alerts/MutesView.tsx";
import type { Signature } from "../alerts/StatementForm.tsx";
import {
  alertsHref,
  deviceHref,
  MUTES_HREF,
  OPEN_ALERTS,
  type Route,
  replaceRoute,
} from "./route.ts";
import { useName } from "./useName.ts";
import type { Watch } from "./useSession.ts";

export interface AlertsProps {
  readonly news: number;
  readonly watch: Watch;
  readonly route: Route;
  readonly now: number;
}

export function Alerts({ news, watch, route, now }: AlertsProps) {
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
