// A VNet from far away: its name as large as it fits, a dot for each endpoint, and the names of those that are wrong. What
// is red can be seen where rows cannot be read.

import type { JSX } from "preact";
import { number } from "../format";
import { cut, widthOf, wrapped } from "./label";
import type { Placed } from "./layout";
import { Glyph, isWrong, marksOf, shapeOf } from "./marks";

/** Distance of dots: as large as all of them fit, within these. */
const DOTS = { least: 14, most: 28 };
const SIDE = 14;
/** Width of a character, relative to the size of the text. */
const ASPECT = 0.62;
const LINE = 1.15;
/** Size at which names are measured. */
const NAME = 13;
/** Height of a box in which a name has two lines. */
const TALL = 95;
/** Size of a name on the screen, in pixels. */
const LARGE = 11;
const SMALL = 8.5;

/** Return the size of all names at a scale: as large as most of them fit, and the same for all. */
export function sizeOf(boxes: readonly Placed[], scale: number): number {
  const sizes = boxes.map(({ node, width, height, top }) => {
    const widest = Math.max(...linesOf(node.label, height - top).map((each) => widthOf(each, "name")), 1);
    return Math.min(((width - SIDE * 2) / widest) * NAME, (height - top) / 3.4);
  });
  return Math.max(NAME, Math.min(LARGE / scale, Math.max(SMALL / scale, Math.min(...sizes))));
}

/** `scale`: of the camera. `size`: of the name. */
export function FarVNet(props: { box: Placed; scale: number; size: number }): JSX.Element {
  const { box, scale, size } = props;
  const { node, top, height } = box;
  const room = box.width - SIDE * 2;
  const lines =
    (widthOf(node.label, "name") / NAME) * size > room ? linesOf(node.label, height - top) : [node.label];
  const under = top + 8 + lines.length * size * LINE;
  const endpoints = box.rows.flatMap((each) => each.endpoint ?? []);
  const dot = dotOf(endpoints.length, room, height - under - 12);
  const across = Math.floor(room / dot);
  const below = under + 8 + Math.ceil(endpoints.length / across) * dot;
  return (
    <>
      {lines.map((line, index) => (
        <FarText
          key={line}
          text={line}
          x={SIDE}
          y={top + 6 + (index + 0.85) * size * LINE}
          size={size}
          room={room}
          name
        />
      ))}
      {endpoints.length && dot >= DOTS.least ? (
        <>
          {endpoints.map((each, index) => (
            <Glyph
              key={each.id}
              shape={shapeOf(each)}
              x={SIDE + (index % across) * dot}
              y={under + 8 + Math.floor(index / across) * dot}
              size={dot * 0.78}
            />
          ))}
          <Wrong box={box} top={below} size={Math.min(SMALL / scale, 24)} room={room} />
        </>
      ) : (
        <>
          <Counts box={box} size={size} y={under + size} room={room} />
          <Wrong box={box} top={under + size * 1.5} size={Math.min(SMALL / scale, 24)} room={room} />
        </>
      )}
    </>
  );
}

function linesOf(label: string, height: number): string[] {
  return wrapped(label, height > TALL ? 2 : 1);
}

/** The names of the endpoints and closed services that are wrong, as many as have room. */
function Wrong(props: { box: Placed; top: number; size: number; room: number }): JSX.Element {
  const { box, top, size, room } = props;
  const most = Math.floor((box.height - top - 4) / (size * 1.3));
  const wrong = box.rows.flatMap(({ endpoint, service }) => {
    const node = endpoint ?? service;
    return node && isWrong(node) ? [node] : [];
  });
  return (
    <>
      {wrong.slice(0, Math.max(most, 0)).map((each, index) => (
        <FarText
          key={each.id}
          text={each.label}
          x={SIDE}
          y={top + size * (0.9 + index * 1.3)}
          size={size}
          room={room}
          class="bad"
        />
      ))}
    </>
  );
}

function Counts(props: { box: Placed; size: number; y: number; room: number }): JSX.Element {
  const { size, y, room } = props;
  const count = number(props.box.node.counts.endpoints);
  let x = SIDE + (count.length * ASPECT + 0.8) * size;
  return (
    <>
      <text x={SIDE} y={y} font-size={size}>
        {count}
      </text>
      {marksOf(props.box.node).map(({ shape, count: some }) => {
        const at = x;
        x += size * (1.6 + String(some).length * ASPECT);
        return x < SIDE + room + size ? (
          <g key={shape} transform={`translate(${at} ${y - size * 0.78}) scale(${size / 12})`}>
            <Glyph shape={shape} x={0} y={0} />
            <text x="13" y="9.4" font-size="12">
              {number(some)}
            </text>
          </g>
        ) : null;
      })}
    </>
  );
}

export function FarText(props: {
  text: string;
  x: number;
  y: number;
  size: number;
  room: number;
  name?: boolean;
  class?: string;
}): JSX.Element {
  const { text, x, y, size, room, name } = props;
  // Measured at the size of its style, which is 13 or 12.
  const shown = name ? cut(text, (room / size) * NAME, "name") : cut(text, (room / size) * 12, "usual");
  return (
    <text class={`${name ? "strong" : ""} ${props.class ?? ""}`} x={x} y={y} font-size={size}>
      {shown}
    </text>
  );
}

/** Return the largest distance at which so many dots have room. */
function dotOf(count: number, width: number, height: number): number {
  let dot = DOTS.most;
  while (dot >= DOTS.least && Math.floor(width / dot) * Math.floor(height / dot) < count) dot -= 1;
  return dot;
}
