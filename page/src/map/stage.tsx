// The stage: the drawing with its camera and cursor. What is clicked, or chosen with the keyboard, gets the focus.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { EstateMap } from "../api/schema";
import { visible } from "../format";
import { navigate } from "../router";
import type { Address } from "./address";
import { useCamera, type Controls } from "./camera";
import { next, spoken, targetsOf, type Direction, type Target } from "./cursor";
import { Drawing, stepped } from "./drawing";
import { sceneOf, type Scene } from "./layout";
import type { Size } from "./plan";

interface Props {
  map: EstateMap;
  address: Address;
  /** Counts what was chosen outside of the drawing: it is brought into the middle. */
  sought: number;
  tools: (scene: Scene, controls: Controls) => ComponentChildren;
}

const HOW =
  "Arrow keys go from one thing to the next, Enter shows what it is, Space opens or closes a service. " +
  "Plus and minus change the size, 0 shows all, Escape shows the whole estate again.";

export function Stage(props: Props): JSX.Element {
  const { map, address, sought, tools } = props;
  const stage = useRef<HTMLDivElement>(null);
  const size = useSize(stage);
  const last = useRef<Scene | undefined>(undefined);
  const drawn = JSON.stringify([map.nodes, map.edges, map.rests]);
  // A stage that has become high instead of wide gets another plan.
  const shape = size.width ? Math.round(Math.log2(size.width / size.height)) : undefined;
  const planned = useRef(shape);
  const scene = useMemo(() => {
    if (shape === undefined) return undefined;
    const before = planned.current === shape ? last.current?.plan : undefined;
    planned.current = shape;
    return (last.current = sceneOf(map, size, before));
  }, [drawn, shape]);
  const controls = useCamera(stage, scene, size);
  const targets = useMemo(() => (scene ? targetsOf(scene) : []), [scene]);
  const { focus } = address;
  const inFocus = targets.find((each) => each.node.id === focus);
  const [at, setAt] = useState<string | undefined>();
  const cursor = targets.find((each) => each.node.id === at) ?? inFocus ?? targets[0];

  const shown = useRef({ focus: null as string | null, sought });
  useEffect(() => {
    const isSought = shown.current.sought !== sought;
    if (!inFocus || (shown.current.focus === focus && !isSought)) return;
    // What a network sees is all over the map.
    if (inFocus.node.kind !== "network") controls.reveal(inFocus, isSought || !at);
    else if (isSought) controls.fit();
    shown.current = { focus, sought };
    setAt(focus ?? undefined);
  }, [inFocus, focus, sought]);

  const select = (id: string): void => {
    navigate(address.to(id === focus ? undefined : id), "replace");
  };
  const toggle = ({ node }: Target): void => {
    if (node.kind === "service") navigate(address.toggled(node.id, map), "replace");
  };
  const click = (event: MouseEvent): void => {
    const found = (event.target as Element).closest<SVGElement>("[data-toggle], [data-rest], [data-id]");
    const { toggle: toggled, rest: inside, id } = found?.dataset ?? {};
    const service = targets.find((each) => each.node.id === toggled);
    const rest = map.rests.find((each) => each.inside === inside);
    if (service) toggle(service);
    else if (rest) navigate(address.following(rest) ?? address.to(rest.inside), "replace");
    else if (id) select(id);
    if (id) setAt(id);
  };
  const go = (direction: Direction): void => {
    if (!cursor) return;
    const found = next(targets, cursor, direction);
    setAt(found.node.id);
    controls.reveal(found, false);
  };
  const key = (event: KeyboardEvent): void => {
    if (event.target !== stage.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const does: Record<string, (() => void) | undefined> = {
      "+": () => {
        controls.zoom(1.25);
      },
      "=": () => {
        controls.zoom(1.25);
      },
      "-": () => {
        controls.zoom(0.8);
      },
      "0": controls.fit,
      Enter:
        cursor &&
        (() => {
          navigate(address.to(cursor.node.id), "replace");
        }),
      " ":
        cursor &&
        (() => {
          toggle(cursor);
        }),
      Escape: focus
        ? () => {
            navigate(address.to(undefined), "replace");
          }
        : undefined,
      ArrowLeft: () => {
        go("ArrowLeft");
      },
      ArrowRight: () => {
        go("ArrowRight");
      },
      ArrowUp: () => {
        go("ArrowUp");
      },
      ArrowDown: () => {
        go("ArrowDown");
      },
    };
    const found = does[event.key];
    if (!found) return;
    event.preventDefault();
    found();
  };

  const { x, y, scale } = controls.camera;
  return (
    <div class="map-stage">
      <div
        class="stage"
        ref={stage}
        role="application"
        tabIndex={0}
        aria-label="Drawing of the estate"
        aria-describedby="map-how"
        onKeyDown={key}
        onClick={click}
      >
        {scene && (
          <svg class="drawing" aria-hidden="true">
            <g transform={`translate(${x} ${y}) scale(${scale})`}>
              <Drawing scene={scene} focus={focus} scale={stepped(scale)} />
              {cursor && <Ring place={cursor} scale={scale} />}
            </g>
          </svg>
        )}
      </div>
      <p id="map-how" class="unseen">
        {HOW}
      </p>
      <p class="unseen" role="status">
        {at && cursor ? visible(spoken(cursor)) : ""}
      </p>
      {scene && tools(scene, controls)}
    </div>
  );
}

/** Where the cursor is; only visible while the stage has the keyboard. */
function Ring(props: { place: Target; scale: number }): JSX.Element {
  const { place, scale } = props;
  const out = 2 / scale;
  return (
    <rect
      class="ring"
      x={place.x - out}
      y={place.y - out}
      width={place.width + out * 2}
      height={place.height + out * 2}
      rx="5"
      stroke-width={2.5 / scale}
    />
  );
}

function useSize(element: { current: HTMLDivElement | null }): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return undefined;
    const measure = (): void => {
      setSize({ width: current.clientWidth, height: current.clientHeight });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    return () => {
      observer.disconnect();
    };
  }, []);
  return size;
}
