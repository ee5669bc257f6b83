// The map as a list: the same nodes as in the drawing, with links that do the same.

import type { JSX } from "preact";
import type { EstateMap, MapNode, MapRest } from "../api/schema";
import { Text } from "../components/text";
import { counted } from "../format";
import { Link } from "../router";
import { inWords, InlineGlyph, marksOf, stateOf } from "./marks";

interface Props {
  map: EstateMap;
  focus: string | null;
  /** The address of the map with a node in focus. */
  to: (id: string) => string;
  /** The address of what a list leaves out; nothing where the list cannot go on. */
  following: (rest: MapRest) => string | undefined;
}

export function Tree(props: Props): JSX.Element {
  const { map } = props;
  const inside = new Map<string, MapNode[]>();
  for (const each of map.nodes) {
    const place = each.inside ?? each.kind;
    inside.set(place, [...(inside.get(place) ?? []), each]);
  }
  return (
    <>
      {inside.has("network") && (
        <>
          <h3>Networks</h3>
          <Branch {...props} place="network" inside={inside} />
        </>
      )}
      <h3>Virtual networks</h3>
      {inside.has("vnet") ? (
        <Branch {...props} place="vnet" inside={inside} />
      ) : (
        <p class="quiet">None that fits the filter.</p>
      )}
    </>
  );
}

function Branch(
  props: Props & { place: string; inside: ReadonlyMap<string, readonly MapNode[]> },
): JSX.Element | null {
  const { map, place, inside, focus, to, following } = props;
  const nodes = inside.get(place) ?? [];
  const rest = map.rests.find((each) => each.inside === place);
  if (!nodes.length && !rest) return null;
  const next = rest && following(rest);
  return (
    <ul class="map-tree">
      {nodes.map((each) => (
        <li key={each.id}>
          {each.kind === "endpoint" && <InlineGlyph shape={stateOf(each)} />}
          {marksOf(each)
            .slice(0, 1)
            .map((mark) =>
              each.kind === "endpoint" && !each.served ? null : (
                <InlineGlyph key={mark.shape} shape={mark.shape} />
              ),
            )}
          <Link to={to(each.id)} current={each.id === focus}>
            {each.kind === "network" && each.inside ? "network " : ""}
            <Text value={each.label} />
          </Link>{" "}
          <span class="quiet">
            <Text value={inWords(each)} />
          </span>
          <Branch {...props} place={each.id} />
        </li>
      ))}
      {rest && (
        <li class="quiet">
          {rest.skipped > 0 && `${counted(rest.skipped, "one", "")} before; `}
          {next ? (
            <Link to={next}>{counted(rest.total - rest.shown - rest.skipped, "more", "more")}</Link>
          ) : (
            counted(rest.total - rest.shown - rest.skipped, "more", "more")
          )}
        </li>
      )}
    </ul>
  );
}
