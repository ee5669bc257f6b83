// Findings: what is wrong in the estate, in words; what pldns does, and what a person can do.

import type { JSX } from "preact";
import { get, type Query } from "../api/client";
import { Loaded } from "../components/states";
import { Pager } from "../components/table";
import { href, Link } from "../router";
import { overview } from "../state/live";
import { useResource } from "../state/resource";
import { useStore } from "../state/store";
import type { ViewProps } from "../views";
import { Changes } from "./findings/changes";
import { Group, grouped } from "./findings/group";
import { Toolbar } from "./findings/toolbar";

const SHOWN = 100;
/** Findings on the page up to which all commands are shown at once. */
const FEW = 3;

export default function FindingsView(props: ViewProps): JSX.Element {
  const { query } = props;
  const counts = useStore(overview)?.counts;
  const asked = filters(query);
  // Findings are read again when the number of open ones changes.
  const findings = useResource(
    (signal) => get("/v1/findings", asked, { signal }),
    [asked, counts?.findings, counts?.acknowledged],
  );
  return (
    <>
      <Changes />
      <Toolbar query={query} />
      <Loaded resource={findings}>
        {({ items, next }) => (
          <>
            {items.length === 0 && <None isFiltered={query.size > 0} />}
            {grouped(items).map(([code, group]) => (
              <Group
                key={code}
                items={group}
                open={items.length <= FEW}
                isPart={next !== null || query.has("cursor")}
                changed={findings.reload}
              />
            ))}
            <Pager label="findings" next={next} />
          </>
        )}
      </Loaded>
    </>
  );
}

function None(props: { isFiltered: boolean }): JSX.Element {
  if (props.isFiltered) {
    return (
      <p class="empty">
        No finding fits these filters. <Link to={href("findings")}>Show all findings</Link>
      </p>
    );
  }
  return (
    <p class="empty fine">
      <b>All is well.</b> pldns has looked at every endpoint, name and source, and found nothing that a person
      has to know.
    </p>
  );
}

function filters(query: URLSearchParams): Query<"/v1/findings"> {
  const given: Record<string, unknown> = { limit: SHOWN };
  for (const name of ["severity", "state", "name", "network", "zone", "code"]) {
    if (query.has(name)) given[name] = query.getAll(name);
  }
  const cursor = query.get("cursor");
  return { ...given, ...(cursor ? { cursor } : {}) };
}
