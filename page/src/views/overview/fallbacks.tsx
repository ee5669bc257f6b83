// Names that were expected to be private, and that upstream servers answered.

import type { JSX } from "preact";
import type { Overview } from "../../api/schema";
import { Table } from "../../components/table";
import { Text, When } from "../../components/text";
import { counted, number } from "../../format";
import { href, Link } from "../../router";

type Fallback = Overview["fallbacks"][number];

export function Fallbacks(props: { shown: Overview }): JSX.Element {
  const { fallbacks, fallbacks_total } = props.shown;
  return (
    <section aria-labelledby="fallbacks">
      <h2 id="fallbacks">Names that fell back to public answers</h2>
      <Table<Fallback>
        label="Names that fell back to public answers"
        rows={fallbacks}
        id={(each) => `${each.name} ${each.network} ${each.zone}`}
        empty="None: no name of a private zone was answered by an upstream server."
        columns={[
          { head: "Name", kind: "main", cell: (each) => <Name of={each} /> },
          { head: "Network", cell: (each) => <Text value={each.network} /> },
          { head: "Queries", kind: "number", cell: (each) => number(each.count) },
          { head: "Last", cell: (each) => <When at={each.last} /> },
        ]}
      />
      {fallbacks_total > fallbacks.length && (
        <p class="quiet">
          {counted(fallbacks_total - fallbacks.length, "more name")}: <code>pldns fallbacks</code> lists all.
        </p>
      )}
    </section>
  );
}

function Name(props: { of: Fallback }): JSX.Element {
  const { name, network } = props.of;
  const client = network === "none" ? "" : network;
  return (
    <Link to={href("explain", { name, client })}>
      <Text value={name} />
    </Link>
  );
}
