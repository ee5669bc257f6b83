// A VNet whose rows can be read: its name, what is wrong in it, and a row for each endpoint or closed service.

import type { JSX } from "preact";
import type { MapNode } from "../api/schema";
import { counted, number, visible } from "../format";
import { HEADER, ROW, SPLIT, type Row } from "./boxes";
import { Label, widthOf } from "./label";
import type { Placed } from "./layout";
import { contested, Glyph, inWords, isWrong, marksOf, shapeOf } from "./marks";

export const SIGHTS = { visible: "seen", partly: "partly seen", hidden: "not seen" } as const;
/** Characters after the number of endpoints up to which there is room for the word. */
const ROOM = 22;

export function Head(props: { box: Placed }): JSX.Element {
  const { node, width, top, rows } = props.box;
  const worst = marksOf(node)[0]?.shape;
  return (
    <>
      <Label text={node.label} x={14} y={top + 19} room={width - 40} style="name" />
      <Label text={node.note} x={14} y={top + 35} room={width - (node.sight ? 92 : 24)} style="small" />
      {node.sight && (
        <text class="small end seen" x={width - 10} y={top + 35}>
          {SIGHTS[node.sight]}
        </text>
      )}
      <Summary node={node} y={top + 51} />
      {worst && <Glyph shape={worst} x={width - 22} y={top + 10} />}
      {rows.length > 0 && <line class="rule" x1="5" x2={width} y1={top + HEADER - 3} y2={top + HEADER - 3} />}
    </>
  );
}

/** What a VNet has, in a line under its name. */
function Summary(props: { node: MapNode; y: number }): JSX.Element {
  const { node, y } = props;
  const { dead, endpoints } = node.counts;
  const bad = [dead ? `${number(dead)} dead` : "", node.counts.contested ? contested(node) : ""]
    .filter(Boolean)
    .join(" · ");
  return (
    <text class="small" x="14" y={y}>
      {bad.length > ROOM ? number(endpoints) : counted(endpoints, "endpoint")}
      {bad && (
        <tspan class="bad">
          {" · "}
          {bad}
        </tspan>
      )}
    </text>
  );
}

export interface RowProps {
  readonly row: Row;
  readonly width: number;
  readonly focus: string | null;
}

export function Rows(props: RowProps): JSX.Element {
  const { row, width, focus } = props;
  const { service, endpoint, rest, y } = row;
  return (
    <g transform={`translate(0 ${y})`}>
      {service && (
        <g class={classes(service, "row service", focus)} data-id={service.id}>
          <title>{visible(`${service.label}, ${inWords(service)}`)}</title>
          <rect class="hit" x="6" width={service.open ? SPLIT - 6 : width - 8} height={ROW} rx="3" />
          <g class="sign" data-toggle={service.id}>
            <rect class="hit" x="6" width="18" height={ROW} rx="3" />
            <path d={service.open ? "M11 8h8l-4 5z" : "M12.5 6v8l5-4z"} />
          </g>
          <Label
            text={service.label}
            x={26}
            y={14}
            room={service.open ? SPLIT - 28 : width - 130}
            style={service.open ? "small" : "usual"}
          />
          {!service.open && <Counts node={service} width={width} />}
        </g>
      )}
      {endpoint && <Endpoint node={endpoint} width={width} focus={focus} />}
      {rest && (
        <g class="node row rest" data-rest={rest.inside}>
          <rect class="hit" x={SPLIT} width={width - SPLIT - 4} height={ROW} rx="3" />
          <text class="small" x={SPLIT + 18} y="14">
            {counted(rest.total - rest.shown, "more", "more")}
          </text>
        </g>
      )}
    </g>
  );
}

function Endpoint(props: { node: MapNode; width: number; focus: string | null }): JSX.Element {
  const { node, width, focus } = props;
  const note = [node.note, node.counts.contested ? contested(node) : ""].filter(Boolean).join(", ");
  const shape = shapeOf(node);
  const bad = isWrong(node);
  return (
    <g class={classes(node, `row endpoint ${bad ? "wrong" : ""}`, focus)} data-id={node.id}>
      <title>{visible(`${node.label}, ${inWords(node)}`)}</title>
      <rect class="hit" x={SPLIT} width={width - SPLIT - 4} height={ROW} rx="3" />
      <Glyph shape={shape} x={SPLIT + 4} y={5} />
      <Label
        text={node.label}
        x={SPLIT + 19}
        y={14}
        room={width - SPLIT - 28 - (note ? widthOf(note, "small") + 6 : 0)}
        style={bad ? "bold" : "usual"}
        class={bad ? "bad" : ""}
      />
      <text class="small bad end" x={width - 9} y="14">
        {visible(note)}
      </text>
    </g>
  );
}

/** The marks of a closed service, and how many endpoints it has. */
function Counts(props: { node: MapNode; width: number }): JSX.Element {
  const { node, width } = props;
  const count = number(node.counts.endpoints);
  let right = width - 14 - Math.max(22, count.length * 6.5) - 6;
  return (
    <>
      <text class="end" x={width - 12} y="14">
        {count}
      </text>
      {marksOf(node)
        .reverse()
        .map((each) => {
          right -= 14 + String(each.count).length * 6.5;
          return (
            <g key={each.shape}>
              <Glyph shape={each.shape} x={right - 4} y={5} />
              <text class="small" x={right + 8} y="14">
                {each.count}
              </text>
            </g>
          );
        })}
    </>
  );
}

export function classes(node: MapNode, kind: string, focus: string | null): string {
  return `node ${kind}${node.sight ? ` ${node.sight}` : ""}${focus === node.id ? " focus" : ""}`;
}
