// The estate map: networks, VNets, peerings and endpoints as a drawing, with what needs a person and the same as a list
// beside it.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../api/client";
import type { EstateMap } from "../api/schema";
import { Empty, ErrorBox, Loading } from "../components/states";
import { toast } from "../components/toast";
import { counted, number, visible } from "../format";
import { Address } from "../map/address";
import type { Controls } from "../map/camera";
import type { Scene } from "../map/layout";
import { Legend } from "../map/legend";
import { Panel } from "../map/panel";
import { save } from "../map/picture";
import { Search } from "../map/search";
import { Stage } from "../map/stage";
import { Tree } from "../map/tree";
import { Urgent } from "../map/urgent";
import { Link, navigate, refine } from "../router";
import { overview } from "../state/live";
import { useResource } from "../state/resource";
import { useStore } from "../state/store";
import type { ViewProps } from "../views";

const EVERY = 15;
const FILTERS = [
  ["", "Everything"],
  ["error", "Only errors"],
  ["error warning", "Only errors and warnings"],
] as const;

export default function MapView({ query }: ViewProps): JSX.Element {
  const address = new Address(query);
  const { question } = address;
  const map = useResource((signal) => get("/v1/map", question, { signal }), [question], EVERY);
  useNews(map.reload);
  const last = useRef<EstateMap | undefined>(undefined);
  if (map.data) last.current = map.data;
  const shown = map.data ?? last.current;
  const [sought, setSought] = useState(0);
  const seek = (): void => {
    setSought((before) => before + 1);
  };
  const to = (id: string): string => address.to(id);
  const close = address.to(undefined);

  return (
    <>
      <div class="filters map-tools">
        <Search
          choose={(id) => {
            navigate(to(id));
            seek();
          }}
        />
        <SeenBy map={shown} focus={address.focus} to={(id) => address.to(id)} />
        <div>
          <label for="map-severity">Show</label>
          <select
            id="map-severity"
            value={address.severity.join(" ")}
            onChange={(event) => {
              refine({ severity: event.currentTarget.value.split(" "), skip: undefined });
            }}
          >
            {FILTERS.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </div>
      </div>
      {map.error && <ErrorBox error={map.error} retry={map.reload} />}
      {map.error?.code === "unknown-value" && (
        <p>
          <a href={close}>Show the whole estate</a>
        </p>
      )}
      {shown ? (
        shown.nodes.length ? (
          <div class="map">
            <Stage
              map={shown}
              address={address}
              sought={sought}
              tools={(scene, controls) => (
                <Buttons scene={scene} controls={controls} map={shown} address={address} />
              )}
            />
            <div class="map-side">
              {shown.focus && !map.error ? (
                <Panel focus={shown.focus} to={to} close={close} />
              ) : (
                <Urgent map={shown} to={to} sought={seek} />
              )}
              <Totals map={shown} address={address} />
              <Legend />
              <details>
                <summary>The same as a list</summary>
                <Tree
                  map={shown}
                  focus={address.focus}
                  to={to}
                  following={(rest) => address.following(rest)}
                />
              </details>
            </div>
          </div>
        ) : (
          <Empty>
            There is nothing to draw: no source has an endpoint or a virtual network, or none fits the filter.
          </Empty>
        )
      ) : (
        !map.error && <Loading />
      )}
    </>
  );
}

/** The networks on the map: one that is chosen shows what its clients see. */
function SeenBy(props: {
  map: EstateMap | undefined;
  focus: string | null;
  to: (id: string | undefined) => string;
}): JSX.Element {
  const { map, focus, to } = props;
  const networks = (map?.nodes ?? []).filter((each) => each.kind === "network");
  networks.sort((one, other) => one.label.localeCompare(other.label));
  return (
    <div>
      <label for="map-network">As seen by</label>
      <select
        id="map-network"
        value={networks.some((each) => each.id === focus) ? (focus ?? "") : ""}
        onChange={(event) => {
          navigate(to(event.currentTarget.value || undefined));
        }}
      >
        <option value="">Everybody</option>
        {networks.map((each) => (
          <option key={each.id} value={each.id}>
            {visible(each.label)}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Read again when the served state or the findings have changed. */
function useNews(reload: () => void): void {
  const now = useStore(overview);
  const state = now && JSON.stringify([now.serial, now.counts.endpoints, now.counts.findings]);
  const before = useRef(state);
  useEffect(() => {
    const isNew = before.current !== undefined && state !== undefined && before.current !== state;
    before.current = state;
    if (isNew) reload();
  }, [state, reload]);
}

function Buttons(props: { scene: Scene; controls: Controls; map: EstateMap; address: Address }): JSX.Element {
  const { scene, controls, map, address } = props;
  const keep = (kind: "svg" | "png"): void => {
    const title = map.focus ? `${map.focus.kind} ${map.focus.label}` : totals(map);
    save({ scene, focus: address.focus, title: `Private endpoints: ${title}` }, kind).catch(() => {
      toast("This browser cannot make the picture.", "problem");
    });
  };
  const goes = (detail: EstateMap["detail"]): void => {
    navigate(address.all(detail), "replace");
  };
  const buttons: readonly (readonly [string, () => void, string?])[] = [
    [
      "+",
      () => {
        controls.zoom(1.25);
      },
      "Larger",
    ],
    [
      "−",
      () => {
        controls.zoom(0.8);
      },
      "Smaller",
    ],
    ["Fit", controls.fit],
    [
      "Open all",
      () => {
        goes("endpoints");
      },
    ],
    [
      "Close all",
      () => {
        goes("services");
      },
    ],
    [
      "Save SVG",
      () => {
        keep("svg");
      },
    ],
    [
      "Save PNG",
      () => {
        keep("png");
      },
    ],
  ];
  return (
    <div class="map-buttons" role="group" aria-label="Drawing">
      {buttons.map(([text, does, label]) => (
        <button key={text} type="button" aria-label={label} onClick={does}>
          {text}
        </button>
      ))}
    </div>
  );
}

function totals(map: EstateMap): string {
  const { endpoints, vnets, networks } = map.totals;
  return `${counted(endpoints, "endpoint")} in ${counted(vnets, "VNet")}, ${counted(networks, "network")}`;
}

function Totals(props: { map: EstateMap; address: Address }): JSX.Element {
  const vnets = props.map.rests.find((each) => each.inside === "vnet");
  const next = vnets && props.address.following(vnets);
  return (
    <p class="map-totals">
      {totals(props.map)}
      {vnets && `; ${number(vnets.shown)} VNets are drawn, what needs a person first`}
      {next && (
        <>
          {" "}
          (<Link to={next}>the next ones</Link>)
        </>
      )}
    </p>
  );
}
