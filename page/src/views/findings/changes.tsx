// What opened and closed since yesterday: a line that opens to a list.

import type { JSX } from "preact";
import type { Schemas } from "../../api/schema";
import { Badge } from "../../components/badge";
import { Table } from "../../components/table";
import { Text, When } from "../../components/text";
import { shortId } from "../../format";
import { href, Link } from "../../router";
import { sentenceOf, useDay } from "./since-yesterday";

type Change = Schemas["HistoryEntry"];

const LISTED = 50;
const WORDS: Record<Change["change"], string> = { added: "opened", changed: "changed", removed: "closed" };

export function Changes(): JSX.Element | null {
  const day = useDay();
  if (!day) return null; // the state directory may have no history
  if (!day.items.length) return <p class="day">{sentenceOf(day)}</p>;
  return (
    <details class="day">
      <summary>{sentenceOf(day)}</summary>
      <Table<Change>
        label="Findings that opened or closed"
        rows={day.items.slice(0, LISTED)}
        id={(each) => String(each.id)}
        empty="No finding opened or closed."
        columns={[
          { head: "When", cell: (each) => <When at={each.at} /> },
          {
            head: "Change",
            cell: (each) => (
              <Badge tone={each.change === "removed" ? "good" : "warning"}>{WORDS[each.change]}</Badge>
            ),
          },
          { head: "Finding", cell: (each) => <Text value={codeOf(each)} /> },
          {
            head: "Subject",
            kind: "main",
            cell: (each) => (
              <Link class="target" to={href("findings", { name: each.subject })}>
                <Text value={shortId(each.subject)} />
              </Link>
            ),
          },
        ]}
      />
      <p class="quiet">
        <Link to={href("history", { kind: "finding", since: "24h" })}>All of them in the history</Link>
      </p>
    </details>
  );
}

function codeOf(change: Change): string {
  const { code } = { ...change.before, ...change.after };
  return typeof code === "string" ? code : "";
}
