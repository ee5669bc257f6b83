// The map as a drawing: boxes with rows, and lines between them. Shows and selects; the list beside the drawing does the
// same for people who use a keyboard or a screen reader.

import type { JSX } from "preact";
import type { MapNode, MapRest } from "../api/schema";
import { counted, number, visible } from "../format";
import { HEADER } from "./boxes";
import type { Camera } from "./camera";
import type { Placed, Scene, Wire } from "./layout";
import { contested, Glyph, inWords, marksOf, stateOf } from "./marks";

interface Props {
  scene: Scene;
  camera: Camera;
  focus: string | null;
  select: (id: string) => void;
  page: (rest: MapRest) => void;
}

const CHARACTER = 6.7;
/** Characters after the number of endpoints up to which there is room for the word. */
const ROOM = 18;
const SIGHTS = { visible: "seen", partly: "partly", hidden: "not seen" } as const;

export function Drawing(props: Props): JSX.Element {
  const { scene, camera, focus, select, page } = props;
  return (
    <svg class="drawing" aria-hidden="true">
      <g transform={`translate(${camera.x} ${camera.y}) scale(${camera.scale})`}>
        <rect class="back" width={scene.width} height={scene.height} />
        {scene.wires.map((each) => (
          <Line key={`${each.edge.kind} ${each.edge.source} ${each.edge.target}`} wire={each} focus={focus} />
        ))}
        {scene.boxes.map((each) =>
          each.node.kind === "network" ? (
            <Network key={each.node.id} box={each} focus={focus} select={select} />
          ) : (
            <VNet key={each.node.id} box={each} focus={focus} select={select} page={page} />
          ),
        )}
      </g>
    </svg>
  );
}

function Line(props: { wire: Wire; focus: string | null }): JSX.Element {
  const { edge, d } = props.wire;
  const near = props.focus === edge.source || props.focus === edge.target;
  return <path class={`wire ${edge.kind}${near ? " near" : ""}`} d={d} />;
}

function Network(props: { box: Placed; focus: string | null; select: (id: string) => void }): JSX.Element {
  const { box, focus, select } = props;
  const { node } = box;
  return (
    <g
      class={`node network${focus === node.id ? " focus" : ""}`}
      transform={`translate(${box.x} ${box.y})`}
      data-id={node.id}
      onClick={() => {
        select(node.id);
      }}
    >
      <title>{visible(`Network ${node.label}, ${inWords(node)}`)}</title>
      <rect class="body" width={box.width} height={box.height} rx={box.height / 2} />
      <Label text={node.label} x={20} y={19} room={box.width - 40} class="name" />
      <Label text={node.note} x={20} y={34} room={box.width - 36} class="small" />
    </g>
  );
}

function VNet(props: {
  box: Placed;
  focus: string | null;
  select: (id: string) => void;
  page: (rest: MapRest) => void;
}): JSX.Element {
  const { box, focus, select, page } = props;
  const { node } = box;
  const tone = node.counts.findings.error ? " error" : node.counts.findings.warning ? " warning" : "";
  return (
    <g transform={`translate(${box.x} ${box.y})`}>
      <g
        class={`node vnet${tone}${sight(node)}${focus === node.id ? " focus" : ""}`}
        data-id={node.id}
        onClick={() => {
          select(node.id);
        }}
      >
        <title>{visible(`VNet ${node.label}, ${inWords(node)}`)}</title>
        <rect class="body" width={box.width} height={box.height} rx="6" />
        <rect class="edge" width="5" height={box.height} rx="2.5" />
        <Label text={node.label} x={14} y={20} room={box.width - 24} class="name" />
        <Label text={node.note} x={14} y={36} room={box.width - (node.sight ? 78 : 24)} class="small" />
        {node.sight && (
          <text class="small end seen" x={box.width - 10} y="36">
            {SIGHTS[node.sight]}
          </text>
        )}
        <Summary node={node} room={box.width - 24} />
        {box.rows.length > 0 && <line class="rule" x1="5" x2={box.width} y1={HEADER - 4} y2={HEADER - 4} />}
      </g>
      {box.rows.map(({ node: inner, rest, y, height, depth }) => {
        const x = 14 + depth * 14;
        if (inner) {
          return (
            <g
              key={inner.id}
              class={`node row ${inner.kind}${sight(inner)}${focus === inner.id ? " focus" : ""}`}
              transform={`translate(0 ${y})`}
              data-id={inner.id}
              onClick={() => {
                select(inner.id);
              }}
            >
              <title>{visible(`${inner.label}, ${inWords(inner)}`)}</title>
              <rect class="hit" x="6" width={box.width - 8} height={height} rx="3" />
              <RowText node={inner} x={x} width={box.width} />
            </g>
          );
        }
        return rest ? (
          <g
            key={`rest ${rest.inside}`}
            class="node row rest"
            transform={`translate(0 ${y})`}
            data-rest={rest.inside}
            onClick={() => {
              page(rest);
            }}
          >
            <rect class="hit" x="6" width={box.width - 8} height={height} rx="3" />
            <text class="small" x={x} y="16">
              {counted(rest.total - rest.shown, "more", "more")}
            </text>
          </g>
        ) : null;
      })}
    </g>
  );
}

/** What a VNet has, in a line under its name. */
function Summary(props: { node: MapNode; room: number }): JSX.Element {
  const { node } = props;
  const { dead } = node.counts;
  const bad = [dead ? `${dead} dead` : "", node.counts.contested ? contested(node) : ""]
    .filter(Boolean)
    .join(" · ");
  const errors = node.counts.findings.error ?? 0;
  const shape = errors ? "error" : node.counts.findings.warning ? "warning" : undefined;
  return (
    <>
      <text class="small" x="14" y="52">
        {bad.length > ROOM ? number(node.counts.endpoints) : counted(node.counts.endpoints, "endpoint")}
        {bad && (
          <tspan class="bad">
            {" · "}
            {bad}
          </tspan>
        )}
      </text>
      {shape && <Glyph shape={shape} x={props.room} y={11} />}
    </>
  );
}

function RowText(props: { node: MapNode; x: number; width: number }): JSX.Element {
  const { node, x, width } = props;
  if (node.kind === "network") {
    return <Label text={`clients: network ${node.label}`} x={x} y={16} room={width - x - 12} class="small" />;
  }
  if (node.kind === "endpoint") {
    const note = [node.note, node.counts.contested ? contested(node) : ""].filter(Boolean).join(", ");
    const room = width - x - 22 - note.length * 5.8;
    const worst = marksOf(node)[0]?.shape;
    return (
      <>
        <Glyph shape={stateOf(node)} x={x} y={7} />
        <Label text={node.label} x={x + 16} y={16} room={room - 14} class={node.served ? "" : "bad"} />
        <text class="small bad end" x={width - 10} y="16">
          {note}
        </text>
        {!note && worst && <Glyph shape={worst} x={width - 20} y={7} />}
      </>
    );
  }
  const marks = marksOf(node);
  let right = width - 12;
  const drawn = marks.reverse().map((each) => {
    right -= 14 + String(each.count).length * 6.5;
    const at = right - 4;
    return (
      <g key={each.shape}>
        <Glyph shape={each.shape} x={at} y={7} />
        <text class="small" x={at + 12} y="16">
          {each.count}
        </text>
      </g>
    );
  });
  const count = number(node.counts.endpoints);
  return (
    <>
      <text class="sign" x={x} y="16">
        {node.open ? "▾" : "▸"}
      </text>
      <Label
        text={`${node.label} `}
        x={x + 14}
        y={16}
        room={right - x - 26 - count.length * 7}
        class=""
        more={count}
      />
      {drawn}
    </>
  );
}

/** A text that is cut where it has no room. `more`: quiet text after it. */
function Label(props: {
  text: string;
  x: number;
  y: number;
  room: number;
  class: string;
  more?: string;
}): JSX.Element {
  const most = Math.max(4, Math.floor(props.room / (props.class === "small" ? 5.9 : CHARACTER)));
  const text = visible(props.text);
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return (
    <text class={props.class} x={props.x} y={props.y}>
      {cut}
      {props.more && <tspan class="small">{props.more}</tspan>}
    </text>
  );
}

function sight(node: MapNode): string {
  return node.sight ? ` ${node.sight}` : "";
}
