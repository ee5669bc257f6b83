// Upstream servers, and what each worker knows of them.

import type { JSX } from "preact";
import { get, type Reply } from "../api/client";
import { Badge } from "../components/badge";
import { Choice, Search } from "../components/filters";
import { Loaded } from "../components/states";
import { PagedTable } from "../components/table";
import { Copy, Text } from "../components/text";
import { number } from "../format";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";

type Upstream = Reply<"/v1/upstreams">["items"][number];

const PAGE = 100;
const EVERY = 5;

export default function UpstreamsView(props: ViewProps): JSX.Element {
  const { query } = props;
  const [name, state, cursor] = [query.get("name"), query.get("state"), query.get("cursor")];
  const asked = {
    limit: PAGE,
    ...(name && { name: [name] }),
    ...(state && { state: [state as "up" | "down"] }),
    ...(cursor && { cursor }),
  };
  const read = useResource((signal) => get("/v1/upstreams", asked, { signal }), [asked], EVERY);
  return (
    <>
      <div class="filters">
        <Search label="Group or server" name="name" hint="the whole name" />
        <Choice
          label="State"
          name="state"
          all="every state"
          options={[
            ["up", "up"],
            ["down", "down"],
          ]}
        />
      </div>
      <Loaded resource={read}>
        {({ items, next }) => (
          <PagedTable<Upstream>
            label="Upstream servers"
            rows={items}
            next={next}
            id={(each) => `${each.worker} ${each.group} ${each.server}`}
            empty={name || state ? "No upstream server matches." : "No worker answers."}
            columns={[
              { head: "Group", kind: "main", cell: (each) => <Text value={each.group} /> },
              { head: "Server", cell: (each) => <Copy value={each.server} /> },
              { head: "Worker", kind: "number", cell: (each) => each.worker },
              {
                head: "State",
                cell: (each) => <Badge tone={each.up ? "good" : "error"}>{each.up ? "up" : "down"}</Badge>,
              },
              {
                head: "Round trip, ms",
                kind: "number",
                cell: (each) =>
                  each.round_trip_ms === null ? (
                    <span class="quiet">no answer yet</span>
                  ) : (
                    number(each.round_trip_ms)
                  ),
              },
              { head: "Answers", kind: "number", cell: (each) => number(each.answers) },
              { head: "Waiting", kind: "number", cell: (each) => number(each.outstanding) },
              { head: "Cookie", cell: (each) => <Text value={each.cookie} /> },
              { head: "Names without EDNS", kind: "number", cell: (each) => number(each.plain) },
            ]}
          />
        )}
      </Loaded>
    </>
  );
}
