// What a new user does next, where pldns has no endpoint yet.

import type { JSX } from "preact";
import type { Overview } from "../../api/schema";
import { Command } from "../../components/command";
import { href, Link } from "../../router";

const AZURE = `sources:
  - {name: hub, type: azure}
networks: auto`;
const FILES = `sources:
  - {name: estate, type: files, path: ./endpoints}`;

/** Nothing where endpoints are known. */
export function FirstMinute(props: { shown: Overview }): JSX.Element | null {
  const { counts, sources_total } = props.shown;
  if (counts.endpoints) return null;
  return (
    <section aria-labelledby="first" class="card first-minute">
      <h2 id="first">{sources_total ? "No endpoint is known yet" : "Tell pldns where your endpoints are"}</h2>
      {sources_total ? <Waiting /> : <NoSource />}
    </section>
  );
}

function NoSource(): JSX.Element {
  return (
    <>
      <p>
        No source is configured, so pldns answers only from zone files and upstream servers. Add a source to
        the configuration. To read every subscription that the identity of this machine can read:
      </p>
      <Command value={AZURE} />
      <p>
        Or read files, such as the output of <code>az network private-endpoint list</code>:
      </p>
      <Command value={FILES} />
      <p>Then check the configuration, and have pldns read it:</p>
      <Command value="pldns check" />
      <Command value="pldns reload" />
    </>
  );
}

function Waiting(): JSX.Element {
  return (
    <>
      <p>
        A source is configured, and no private endpoint was read from it. The first sync of a large estate
        takes a few minutes. <Link to={href("sources")}>Sources</Link> shows its progress and its errors. To
        see what pldns can read, and why not more:
      </p>
      <Command value="pldns check" />
      <p>With a source of type azure, this lists the private endpoints that an identity can read:</p>
      <Command value="az graph query -q &quot;resources | where type =~ 'microsoft.network/privateendpoints' | project id&quot;" />
    </>
  );
}
