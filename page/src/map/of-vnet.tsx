// What the panel says about a VNet.

import type { JSX } from "preact";
import type { MapFocus } from "../api/schema";
import { ResourceId, Some, Text } from "../components/text";
import { shortId } from "../format";
import { Link } from "../router";
import { Fact, Facts, Line } from "./facts";

type VNet = NonNullable<MapFocus["vnet"]>;

export function OfVNet(props: { vnet: VNet; to: (id: string) => string }): JSX.Element {
  const { vnet, to } = props;
  return (
    <Facts>
      <Fact name="Id">
        <ResourceId value={vnet.id} />
      </Fact>
      {vnet.region && <Fact name="Region">{vnet.region}</Fact>}
      {vnet.prefixes.length > 0 && (
        <Fact name="Address space">
          {vnet.prefixes.map((each) => (
            <Line key={each} value={each} />
          ))}
        </Fact>
      )}
      <Fact name="Peered with">
        {vnet.peers.length ? (
          <ul class="plain">
            {vnet.peers.map((each) => (
              <li key={each}>
                <Link to={to(`vnet:${each}`)}>
                  <Text value={shortId(each)} />
                </Link>
              </li>
            ))}
          </ul>
        ) : (
          "no VNet that pldns knows"
        )}
      </Fact>
      <Fact name="Visible to">
        <Some values={vnet.networks} total={vnet.networks_total} none="no network" />
      </Fact>
    </Facts>
  );
}
