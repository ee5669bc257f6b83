// The overview: is pldns fine, what has a person to do, and what has changed.

import type { JSX } from "preact";
import type { Overview } from "../api/schema";
import { Badge, type Tone } from "../components/badge";
import { Loading } from "../components/states";
import { Text, When } from "../components/text";
import { counted, number } from "../format";
import { overview } from "../state/live";
import { useStore } from "../state/store";
import { Changes } from "./overview/changes";
import { Facts } from "./overview/facts";
import { Fallbacks } from "./overview/fallbacks";
import { FirstMinute } from "./overview/first-minute";
import { LastHour } from "./overview/last-hour";
import { Sources, Upstreams } from "./overview/providers";
import { ToDo } from "./overview/to-do";

const HEALTH: Record<Overview["health"]["state"], { tone: Tone; word: string }> = {
  good: { tone: "good", word: "ready" },
  degraded: { tone: "warning", word: "degraded" },
  bad: { tone: "error", word: "not healthy" },
};

export default function OverviewView(): JSX.Element {
  const shown = useStore(overview);
  if (!shown) return <Loading />;
  return (
    <>
      <Health shown={shown} />
      <FirstMinute shown={shown} />
      <Facts shown={shown} />
      <div class="at-a-glance">
        <ToDo counts={shown.counts} />
        <div>
          <Changes />
          <Sources shown={shown} />
          <Upstreams shown={shown} />
        </div>
      </div>
      <LastHour />
      <Fallbacks shown={shown} />
      <p class="quiet">
        pldns <Text value={shown.version} />, started <When at={shown.started} />, state{" "}
        {number(shown.serial)}
      </p>
    </>
  );
}

function Health(props: { shown: Overview }): JSX.Element {
  const { health } = props.shown;
  const { tone, word } = HEALTH[health.state];
  const more = health.reasons_total - health.reasons.length;
  return (
    <section class={`health ${health.state}`} aria-label="Health">
      <p>
        <Badge tone={tone}>{word}</Badge> <Text value={health.sentence} />
      </p>
      {health.reasons_total > 1 && (
        <ul>
          {health.reasons.map((each) => (
            <li key={each}>
              <Text value={each} />
            </li>
          ))}
          {more > 0 && <li class="quiet">{counted(more, "more reason")}</li>}
        </ul>
      )}
    </section>
  );
}
