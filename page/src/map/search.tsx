// The search of the map: a text finds networks, VNets and endpoints by name, id, address or target. The arrow keys choose
// a hit, Enter shows it.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, type Reply } from "../api/client";
import { ErrorBox } from "../components/states";
import { Text } from "../components/text";
import { counted } from "../format";
import { useResource } from "../state/resource";

type Hit = Reply<"/v1/map/search">["items"][number];

const PAUSE = 200;
const KINDS: Record<Hit["kind"], string> = {
  network: "network",
  vnet: "VNet",
  service: "service",
  endpoint: "endpoint",
};

export function Search(props: { choose: (id: string) => void }): JSX.Element {
  const [text, setText] = useState("");
  const [asked, setAsked] = useState("");
  const [at, setAt] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => {
      setAsked(text.trim());
    }, PAUSE);
    return () => {
      clearTimeout(timer);
    };
  }, [text]);
  const found = useResource(
    (signal) =>
      asked ? get("/v1/map/search", { text: asked }, { signal }) : Promise.resolve({ items: [], total: 0 }),
    [asked],
  );
  const hits = asked ? (found.data?.items ?? []) : [];
  const done = (): void => {
    setText("");
    setAsked("");
    setAt(0);
  };
  const choose = (hit: Hit | undefined): void => {
    if (!hit) return;
    done();
    props.choose(hit.id);
  };
  const key = (event: KeyboardEvent): void => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
    if (to !== undefined && hits.length) setAt((to + hits.length) % hits.length);
    else if (event.key === "Escape") done();
    else return;
    event.preventDefault();
  };
  return (
    <form
      class="map-search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() === asked) choose(hits[at]);
        else setAsked(text.trim());
      }}
    >
      <label for="map-text">Find a name, address or id</label>
      <input
        id="map-text"
        type="search"
        role="combobox"
        aria-expanded={hits.length > 0}
        aria-controls="map-hits"
        aria-autocomplete="list"
        list={undefined}
        aria-activedescendant={hits.length ? `map-hit-${at}` : undefined}
        value={text}
        maxLength={255}
        autocomplete="off"
        spellcheck={false}
        onKeyDown={key}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
      />
      <div class="hits" hidden={!asked}>
        {found.error && <ErrorBox error={found.error} retry={found.reload} />}
        <p class="quiet" role="status">
          {asked && !found.error && sentence(found.data)}
        </p>
        <ul id="map-hits" role="listbox" aria-label="Hits">
          {hits.map((each, index) => (
            <li
              key={each.id}
              id={`map-hit-${index}`}
              role="option"
              aria-selected={index === at}
              onClick={() => {
                choose(each);
              }}
            >
              <span class={`kind ${each.kind}`}>{KINDS[each.kind]}</span> <Text value={each.label} />
              <span class="quiet">
                {" "}
                <Text value={each.note} />
                {each.reason && (
                  <>
                    {" "}
                    · <Text value={each.reason} />
                  </>
                )}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </form>
  );
}

function sentence(found: Reply<"/v1/map/search"> | undefined): string {
  if (!found) return "Searching…";
  if (!found.total) return "Nothing has this text.";
  return `${counted(found.total, "hit")}${found.total > found.items.length ? `, the first ${found.items.length}` : ""}`;
}
