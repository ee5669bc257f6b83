// The map as a drawing: boxes, and lines between them. From far away, a box shows a dot for each endpoint; from near, a
// row. Clicks are for whoever holds the drawing: each thing has its id in `data-id`.

import { memo } from "preact/compat";
import type { JSX } from "preact";
import type { MapEdge } from "../api/schema";
import { visible } from "../format";
import type { Tab } from "./boxes";
import { TAB } from "./boxes";
import { FarText, FarVNet, sizeOf } from "./far";
import { cut, Label } from "./label";
import type { Placed, Scene } from "./layout";
import { inWords, marksOf, NetworkSign } from "./marks";
import { classes, Head, Rows } from "./near";
import type { Wire } from "./wires";

/** Below this scale, rows cannot be read. */
const FAR = 0.58;

interface Props {
  scene: Scene;
  focus: string | null;
  /** Of the camera, in steps: see `stepped`. */
  scale: number;
}

/** Return a scale in steps, so that not each turn of the wheel draws everything again. */
export function stepped(scale: number): number {
  return scale >= FAR ? 1 : 1.15 ** Math.round(Math.log(scale) / Math.log(1.15));
}

export const Drawing = memo(function Drawing(props: Props): JSX.Element {
  const { scene, focus, scale } = props;
  const isNear = ({ edge }: Wire): boolean => touches(edge, focus);
  const wires = [...scene.wires.filter((each) => !isNear(each)), ...scene.wires.filter(isNear)];
  const vnets = scene.boxes.filter((each) => each.node.kind === "vnet");
  const size = scale < FAR ? sizeOf(vnets, scale) : 0;
  return (
    <g class={scale < FAR ? "far-away" : ""}>
      <rect class="back" width={scene.width} height={scene.height} />
      {wires.map((each) => (
        <path
          key={`${each.edge.kind} ${each.edge.source} ${each.edge.target}`}
          class={`wire ${each.edge.kind}${isNear(each) ? " near" : ""}`}
          d={each.d}
        />
      ))}
      {scene.titles.map((each) => (
        <text key={each.text} class="title" x={each.x} y={each.y} font-size={Math.min(10 / scale, 24)}>
          {each.text}
        </text>
      ))}
      {scene.boxes.map((each) =>
        each.node.kind === "network" ? (
          <Network key={each.node.id} box={each} focus={focus} scale={scale} />
        ) : (
          <VNet key={each.node.id} box={each} focus={focus} scale={scale} size={size} />
        ),
      )}
    </g>
  );
});

function touches(edge: MapEdge, focus: string | null): boolean {
  return focus === edge.source || focus === edge.target;
}

/** A network with clients in no VNet of the map. */
function Network(props: { box: Placed; focus: string | null; scale: number }): JSX.Element {
  const { box, focus, scale } = props;
  const { node, width, height } = box;
  return (
    <g class={classes(node, "network", focus)} transform={`translate(${box.x} ${box.y})`} data-id={node.id}>
      <title>{visible(`Network ${node.label}, ${inWords(node)}`)}</title>
      <rect class="body" width={width} height={height} rx="8" />
      {scale < FAR ? (
        <FarText text={node.label} x={12} y={31} size={Math.min(9 / scale, 24)} room={width - 20} name />
      ) : (
        <>
          <NetworkSign x={10} y={9} />
          <Label text={node.label} x={30} y={19} room={width - 40} style="name" />
          <Label text={node.note} x={12} y={36} room={width - 20} style="small" />
        </>
      )}
    </g>
  );
}

function VNet(props: { box: Placed; focus: string | null; scale: number; size: number }): JSX.Element {
  const { box, focus, scale, size } = props;
  const { node, width, height, top } = box;
  const worst = marksOf(node)[0]?.shape;
  const bad = node.counts.dead > 0 || worst === "error";
  const tone = bad ? " error" : worst === "warning" ? " warning" : "";
  return (
    <g transform={`translate(${box.x} ${box.y})`}>
      <g class={classes(node, `vnet${tone}`, focus)} data-id={node.id}>
        <title>{visible(`VNet ${node.label}, ${inWords(node)}`)}</title>
        <rect class="body" y={top} width={width} height={height - top} rx="6" />
        <rect class="edge" y={top} width="5" height={height - top} rx="2.5" />
        {scale < FAR ? <FarVNet box={box} scale={scale} size={size} /> : <Head box={box} />}
      </g>
      {box.tabs.map((each) => (
        <NetworkTab key={each.node.id} tab={each} focus={focus} />
      ))}
      {scale >= FAR &&
        box.rows.map((row) => (
          <Rows
            key={row.endpoint?.id ?? row.service?.id ?? `rest ${row.rest?.inside ?? ""}`}
            row={row}
            width={width}
            focus={focus}
          />
        ))}
    </g>
  );
}

/** A network with clients in the VNet under the tab. */
function NetworkTab(props: { tab: Tab; focus: string | null }): JSX.Element {
  const { node, x, y, width } = props.tab;
  return (
    <g class={classes(node, "network tab", props.focus)} transform={`translate(${x} ${y})`} data-id={node.id}>
      <title>{visible(`Network ${node.label}, ${inWords(node)}`)}</title>
      <rect class="body" width={width} height={TAB - 3} rx={(TAB - 3) / 2} />
      <NetworkSign x={6} y={5} />
      <text x="21" y="13.5" class="bold">
        {cut(node.label, width - 28, "bold")}
      </text>
    </g>
  );
}
