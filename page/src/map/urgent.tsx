// What needs a person, the worst first, with the way to it on the map.

import type { JSX } from "preact";
import type { EstateMap } from "../api/schema";
import { Text } from "../components/text";
import { counted, visible } from "../format";
import { href, Link } from "../router";
import { InlineGlyph } from "./marks";

type Item = EstateMap["urgent"][number];

const LISTED = 8;

interface Props {
  map: EstateMap;
  to: (id: string) => string;
  /** Called when the reader goes to one of them. */
  sought: () => void;
}

export function Urgent(props: Props): JSX.Element {
  const { map, to, sought } = props;
  const nodes = byNode(map.urgent).slice(0, LISTED);
  return (
    <section class="panel" aria-labelledby="map-urgent">
      <h2 id="map-urgent">Needs attention</h2>
      {nodes.length ? (
        <ul
          class="urgent"
          onClick={(event) => {
            if ((event.target as Element).closest("a")) sought();
          }}
        >
          {nodes.map(
            ([first, ...more]) => first && <One key={first.node} first={first} more={more} to={to} />,
          )}
        </ul>
      ) : (
        <p class="quiet">Nothing: no open error or warning is about an endpoint.</p>
      )}
      {map.urgent_total > 0 && (
        <p>
          <Link to={href("findings")}>All findings</Link>
        </p>
      )}
    </section>
  );
}

function One(props: { first: Item; more: readonly Item[]; to: (id: string) => string }): JSX.Element {
  const { first, more, to } = props;
  const { finding, node, label } = first;
  return (
    <li>
      <InlineGlyph shape={finding.severity} />
      <span class="unseen">{finding.severity}: </span>
      <Link to={to(node)}>
        <Text value={label} />
      </Link>
      <p class="quiet" title={visible(finding.text)}>
        <Text value={finding.text || finding.code} />
      </p>
      {more.length > 0 && <p class="quiet">{counted(more.length, "more finding")}</p>}
    </li>
  );
}

/** Return the findings of each node, in the order of the first ones. */
function byNode(items: readonly Item[]): Item[][] {
  const nodes = new Map<string, Item[]>();
  for (const each of items) nodes.set(each.node, [...(nodes.get(each.node) ?? []), each]);
  return [...nodes.values()];
}
