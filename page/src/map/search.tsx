// The search of the map: a text finds networks, VNets and endpoints by name, id, address or target.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../api/client";
import { ErrorBox } from "../components/states";
import { Text } from "../components/text";
import { counted } from "../format";
import { Link } from "../router";
import { useResource } from "../state/resource";

const PAUSE = 250;

export function Search(props: { to: (id: string) => string }): JSX.Element {
  const [text, setText] = useState("");
  const [asked, setAsked] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => {
      setAsked(text.trim());
    }, PAUSE);
    return () => {
      clearTimeout(timer);
    };
  }, [text]);
  return (
    <form
      class="map-search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        setAsked(text.trim());
      }}
    >
      <label for="map-text">Find a name, address or id</label>
      <input
        id="map-text"
        type="search"
        value={text}
        maxLength={255}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => {
          setText(event.currentTarget.value);
        }}
      />
      {asked && (
        <Hits
          text={asked}
          to={props.to}
          done={() => {
            setText("");
            setAsked("");
          }}
        />
      )}
    </form>
  );
}

function Hits(props: { text: string; to: (id: string) => string; done: () => void }): JSX.Element {
  const found = useResource(
    (signal) => get("/v1/map/search", { text: props.text }, { signal }),
    [props.text],
  );
  if (found.error) return <ErrorBox error={found.error} retry={found.reload} />;
  return (
    <div class="hits" role="status">
      {!found.data ? (
        <p class="quiet">Searching…</p>
      ) : found.data.total ? (
        <>
          <p class="quiet">
            {counted(found.data.total, "hit")}
            {found.data.total > found.data.items.length && `, the first ${found.data.items.length}`}
          </p>
          <ul
            onClick={(event) => {
              if ((event.target as Element).closest("a")) props.done();
            }}
          >
            {found.data.items.map((each) => (
              <li key={each.id}>
                <Link to={props.to(each.id)}>
                  <Text value={each.label} />
                </Link>{" "}
                <span class="quiet">
                  {each.kind} <Text value={each.note} />
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
        </>
      ) : (
        <p class="quiet">Nothing has this text.</p>
      )}
    </div>
  );
}
