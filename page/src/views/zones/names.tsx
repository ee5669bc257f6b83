// The names of one zone, with their answers in each network where these differ.

import type { JSX } from "preact";
import { get, type Reply } from "../../api/client";
import { Badge } from "../../components/badge";
import { Search } from "../../components/filters";
import { Loaded } from "../../components/states";
import { PagedTable } from "../../components/table";
import { Copy, ResourceId, Some } from "../../components/text";
import { counted } from "../../format";
import { href, Link } from "../../router";
import { useResource } from "../../state/resource";
import { NetworkChoice, SOURCES } from "../zones";

type Name = Reply<"/v1/zones/{zone}/records">["items"][number];
type Answer = Name["answers"][number];

const PAGE = 100;

export function Names(props: { zone: string; query: URLSearchParams }): JSX.Element {
  const { zone, query } = props;
  const [search, network, cursor] = ["search", "network", "cursor"].map((each) => query.get(each));
  const asked = {
    limit: PAGE,
    ...(search && { search }),
    ...(network && { network: [network] }),
    ...(cursor && { cursor }),
  };
  const read = useResource(
    (signal) => get("/v1/zones/{zone}/records", asked, { parts: { zone }, signal }),
    [zone, asked],
  );
  return (
    <>
      <p>
        <Link class="target" to={href("zones")}>
          All zones
        </Link>
      </p>
      <About zone={zone} />
      <div class="filters">
        <Search label="Part of a name" name="search" hint="shop" />
        <NetworkChoice label="Answered in" />
      </div>
      <Loaded resource={read}>
        {({ items, next }) => (
          <PagedTable<Name>
            label={`Names of ${zone}`}
            rows={items}
            next={next}
            id={(each) => each.name}
            empty={
              search || network
                ? "No name matches."
                : "The zone has no names: clients get what the configuration says for names that are not there."
            }
            columns={[
              { head: "Name", kind: "main", cell: (each) => <NameShown name={each} /> },
              { head: "Answers", cell: (each) => <Answers answers={each.answers} /> },
              {
                head: "More",
                cell: (each) => (
                  <>
                    <Link
                      class="target word"
                      to={href("explain", { name: each.public[0] ?? each.name })}
                      title={`Explain ${each.name}`}
                    >
                      Explain
                    </Link>{" "}
                    <Link
                      class="target word"
                      to={href("history", { name: each.name })}
                      title={`History of ${each.name}`}
                    >
                      History
                    </Link>
                  </>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </>
  );
}

function About(props: { zone: string }): JSX.Element {
  const { zone } = props;
  const read = useResource((signal) => get("/v1/zones", { zone: [zone] }, { signal }), [zone]);
  const found = read.data?.items[0];
  return (
    <>
      <h2>
        <Copy value={zone} />
      </h2>
      {found && (
        <p class="note">
          {counted(found.names, "name")}, from: {SOURCES[found.source][0]}; visible to{" "}
          <Some values={found.networks} total={found.networks_total} none="no network" />
        </p>
      )}
    </>
  );
}

function NameShown(props: { name: Name }): JSX.Element {
  const { name } = props;
  return (
    <>
      <Copy value={name.name} />
      {name.public.map((each) => (
        <div key={each} class="note">
          for clients that ask for <Copy value={each} />
        </div>
      ))}
      {name.configured.length > 0 && <div class="note">the configuration gives this name</div>}
    </>
  );
}

function Answers(props: { answers: readonly Answer[] }): JSX.Element {
  const { answers } = props;
  const differs = new Set(answers.map((each) => each.networks.join())).size > 1;
  return (
    <>
      {differs && <Badge tone="info">differs by network</Badge>}
      {answers.map((each, index) => (
        <div key={index}>
          {each.rcode !== "NOERROR" && <Badge tone="error">{each.rcode}</Badge>}
          {each.type && <span class="quiet">{each.type} </span>}
          {each.data.map((data) => (
            <span key={data}>
              <Copy value={data} />{" "}
            </span>
          ))}
          <span class="note">
            in <Some values={each.networks} total={each.networks_total} />
            {each.endpoints.map((endpoint) => (
              <span key={endpoint}>
                {" "}
                from <ResourceId value={endpoint} />
              </span>
            ))}
            {each.losers.length > 0 &&
              `; ${counted(each.losers.length, "other endpoint claims", "other endpoints claim")} it, decided by ${each.rule}`}
          </span>
        </div>
      ))}
    </>
  );
}
