// The filters of the findings. All of them are in the address.

import type { JSX } from "preact";
import type { Severity } from "../../api/schema";
import { Badge } from "../../components/badge";
import { Choice, Search } from "../../components/filters";
import { Icon } from "../../components/icon";
import { Text } from "../../components/text";
import { number } from "../../format";
import { href, Link, refine } from "../../router";
import { overview } from "../../state/live";
import { useStore } from "../../state/store";

const SEVERITIES: readonly Severity[] = ["error", "warning", "info"];
/** Filters that only links set. */
const OTHERS = ["code", "zone"] as const;

export function Toolbar(props: { query: URLSearchParams }): JSX.Element {
  const { query } = props;
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <Severities chosen={query.getAll("severity")} />
      <Choice
        label="State"
        name="state"
        all="Open and acknowledged"
        options={[
          ["open", "Open"],
          ["acknowledged", "Acknowledged"],
        ]}
      />
      <Search label="Name, endpoint, address or source" name="name" hint="shop.blob.core.windows.net" />
      <Search label="Network" name="network" hint="All networks" />
      {OTHERS.flatMap((name) =>
        query.getAll(name).map((value) => <Chip key={name} name={name} value={value} />),
      )}
      {query.size > 0 && (
        <Link class="target" to={href("findings")}>
          All findings
        </Link>
      )}
    </form>
  );
}

/** A button for each severity, with the number of open findings. Several may be on. */
function Severities(props: { chosen: readonly string[] }): JSX.Element {
  const { chosen } = props;
  const counts = useStore(overview)?.counts.findings;
  return (
    <div role="group" aria-label="Severity" class="toggles">
      {SEVERITIES.map((each) => {
        const isOn = chosen.includes(each);
        return (
          <button
            key={each}
            type="button"
            aria-pressed={isOn}
            onClick={() => {
              refine({ severity: isOn ? chosen.filter((other) => other !== each) : [...chosen, each] });
            }}
          >
            <Badge tone={each}>{each}</Badge> <span class="open-count">{number(counts?.[each] ?? 0)}</span>
          </button>
        );
      })}
    </div>
  );
}

function Chip(props: { name: string; value: string }): JSX.Element {
  const { name, value } = props;
  return (
    <button
      type="button"
      class="chip"
      title="Remove this filter"
      onClick={() => {
        refine({ [name]: undefined });
      }}
    >
      {name}: <Text value={value} /> <Icon name="close" />
    </button>
  );
}
