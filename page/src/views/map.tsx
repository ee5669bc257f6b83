// The estate map: networks, VNets, peerings and endpoints as a drawing, with the same as a list beside it.

import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useRef } from "preact/hooks";
import { get } from "../api/client";
import type { EstateMap, MapRest, Severity } from "../api/schema";
import { Empty, ErrorBox, Loading } from "../components/states";
import { toast } from "../components/toast";
import { counted, number } from "../format";
import { useCamera, type Controls } from "../map/camera";
import { Drawing } from "../map/drawing";
import { sceneOf } from "../map/layout";
import { Panel } from "../map/panel";
import { InlineGlyph, type Shape } from "../map/marks";
import { save } from "../map/picture";
import { Search } from "../map/search";
import { Tree } from "../map/tree";
import { href, navigate, refine } from "../router";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";

const EVERY = 15;
const FILTERS = [
  ["", "Everything"],
  ["error", "Only errors"],
  ["error warning", "Only errors and warnings"],
] as const;
const LEGEND: readonly (readonly [Shape, string])[] = [
  ["error", "error"],
  ["warning", "warning"],
  ["served", "served endpoint"],
  ["waiting", "waits for approval"],
  ["dead", "dead: rejected, disconnected or being deleted"],
];

export default function MapView({ query }: ViewProps): JSX.Element {
  const focus = query.get("focus");
  const open = query.getAll("open");
  const severity = query.getAll("severity") as Severity[];
  const skip = Number(query.get("skip")) || 0;
  const map = useResource(
    (signal) => get("/v1/map", { ...(focus ? { focus } : {}), open, severity, skip }, { signal }),
    [focus, open, severity, skip],
    EVERY,
  );
  const last = useRef<EstateMap | undefined>(undefined);
  if (map.data) last.current = map.data;
  const shown = map.data ?? last.current;

  const to = useCallback(
    (id: string): string => href("map", { focus: id, open, severity }),
    [open.join(), severity.join()],
  );
  const following = (rest: MapRest): string | undefined => {
    const next = String(rest.skipped + rest.shown);
    if (rest.skipped + rest.shown >= rest.total) return undefined;
    if (rest.inside === "vnet") return href("map", { severity, skip: next });
    return rest.inside.startsWith("service:")
      ? href("map", { focus: rest.inside, open, severity, skip: next })
      : undefined;
  };
  const close = href("map", { severity });

  return (
    <>
      <div class="filters map-tools">
        <Search to={to} />
        <div>
          <label for="map-severity">Show</label>
          <select
            id="map-severity"
            value={severity.join(" ")}
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
            <Stage map={shown} focus={focus} to={to} following={following} />
            <div class="map-side">
              {shown.focus && !map.error && <Panel focus={shown.focus} to={to} close={close} />}
              <Totals map={shown} />
              <Legend />
              <section aria-labelledby="map-list">
                <h2 id="map-list">The same as a list</h2>
                <Tree map={shown} focus={focus} to={to} following={following} />
              </section>
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

function Stage(props: {
  map: EstateMap;
  focus: string | null;
  to: (id: string) => string;
  following: (rest: MapRest) => string | undefined;
}): JSX.Element {
  const { map, focus, to, following } = props;
  const stage = useRef<HTMLDivElement>(null);
  const drawn = JSON.stringify([map.nodes, map.edges, map.rests]);
  const scene = useMemo(() => sceneOf(map), [drawn]);
  const controls = useCamera(stage, scene);
  const { camera, fit, zoom, move, reveal, dragged } = controls;
  const before = useRef<{ focus: string | null; width: number }>({ focus: null, width: 0 });
  useEffect(() => {
    if (before.current.focus === focus && before.current.width === scene.width) return;
    before.current = { focus, width: scene.width };
    for (const box of scene.boxes) {
      const row = box.rows.find((each) => each.node?.id === focus);
      if (box.node.id === focus) reveal(box.x, box.y, box.width, Math.min(box.height, 200));
      else if (row) reveal(box.x, box.y + row.y, box.width, row.height);
    }
  }, [scene, focus, reveal]);
  const key = (event: KeyboardEvent): void => {
    const does: Record<string, () => void> = {
      "+": () => {
        zoom(1.25);
      },
      "=": () => {
        zoom(1.25);
      },
      "-": () => {
        zoom(0.8);
      },
      "0": fit,
      ArrowLeft: () => {
        move(60, 0);
      },
      ArrowRight: () => {
        move(-60, 0);
      },
      ArrowUp: () => {
        move(0, 60);
      },
      ArrowDown: () => {
        move(0, -60);
      },
    };
    const found = event.ctrlKey || event.metaKey || event.altKey ? undefined : does[event.key];
    if (found) {
      event.preventDefault();
      found();
    }
  };
  return (
    <div class="map-stage">
      <div
        class="stage"
        ref={stage}
        role="group"
        tabIndex={0}
        aria-label="Drawing of the estate. Arrow keys move it, plus and minus change its size, 0 shows all of it. The list after it has the same."
        onKeyDown={key}
      >
        <Drawing
          scene={scene}
          camera={camera}
          focus={focus}
          select={(id) => {
            if (!dragged()) navigate(id === focus ? href("map") : to(id), "replace");
          }}
          page={(rest) => {
            const next = following(rest) ?? to(rest.inside);
            if (!dragged()) navigate(next, "replace");
          }}
        />
      </div>
      <Buttons controls={controls} />
    </div>
  );
}

function Buttons(props: { controls: Controls }): JSX.Element {
  const { fit, zoom } = props.controls;
  const keep = (kind: "svg" | "png"): void => {
    const drawing = document.querySelector<SVGSVGElement>(".stage svg");
    if (!drawing) return;
    save(drawing, kind).catch(() => {
      toast("This browser cannot make the picture.", "problem");
    });
  };
  return (
    <div class="map-buttons" role="group" aria-label="Drawing">
      <button
        type="button"
        aria-label="Larger"
        onClick={() => {
          zoom(1.25);
        }}
      >
        +
      </button>
      <button
        type="button"
        aria-label="Smaller"
        onClick={() => {
          zoom(0.8);
        }}
      >
        −
      </button>
      <button type="button" onClick={fit}>
        Fit
      </button>
      <button
        type="button"
        onClick={() => {
          keep("svg");
        }}
      >
        Save SVG
      </button>
      <button
        type="button"
        onClick={() => {
          keep("png");
        }}
      >
        Save PNG
      </button>
    </div>
  );
}

function Totals(props: { map: EstateMap }): JSX.Element {
  const { totals, rests } = props.map;
  const vnets = rests.find((each) => each.inside === "vnet");
  return (
    <p class="map-totals">
      {counted(totals.endpoints, "endpoint")} in {counted(totals.vnets, "VNet")},{" "}
      {counted(totals.networks, "network")}
      {vnets && `; ${number(vnets.shown)} VNets are drawn, what needs a person first`}
    </p>
  );
}

function Legend(): JSX.Element {
  return (
    <ul class="map-legend" aria-label="Signs">
      {LEGEND.map(([shape, text]) => (
        <li key={shape}>
          <InlineGlyph shape={shape} /> {text}
        </li>
      ))}
      <li>
        <svg class="inline-wire" width="28" height="8" aria-hidden="true">
          <path class="wire peering" d="M0 4h28" />
        </svg>{" "}
        peering
      </li>
      <li>
        <svg class="inline-wire" width="28" height="8" aria-hidden="true">
          <path class="wire home" d="M0 4h28" />
        </svg>{" "}
        home of a network
      </li>
      <li>
        <svg class="inline-wire" width="28" height="8" aria-hidden="true">
          <path class="wire reach" d="M0 4h28" />
        </svg>{" "}
        in reach of a network
      </li>
    </ul>
  );
}
