// A small chart of one or two series over time: areas, with the values at the place of the pointer. Screen readers get
// a sentence in its place. Drawn as SVG, without a library.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { clock, number } from "../format";

export interface Series {
  readonly name: string;
  readonly kind: "first" | "second" | "third";
  readonly values: readonly (number | null)[];
}

interface Props {
  title: string;
  times: readonly Date[];
  series: readonly Series[];
  format?: (value: number) => string;
  /** The top of the scale, where it has one. */
  top?: number;
}

const WIDTH = 300;
const HEIGHT = 64;

export function Chart(props: Props): JSX.Element {
  const { title, times, series, format = number } = props;
  const [at, setAt] = useState<number | undefined>(undefined);
  const top =
    props.top ?? Math.max(...series.flatMap((each) => each.values.map((value) => value ?? 0)), 0.001);
  const index = at === undefined ? times.length - 1 : Math.min(at, times.length - 1);
  const time = times[index];
  const last = times.at(-1);
  const x = (place: number): number => (times.length > 1 ? (place / (times.length - 1)) * WIDTH : WIDTH);
  const move = (event: PointerEvent): void => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    setAt(Math.max(0, Math.round(share * (times.length - 1))));
  };
  const said = series.map((each) => `${each.name} ${value(each, times.length - 1, format)}`).join(", ");
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <span class="legend">
          {series.map((each) => (
            <span key={each.name} class={each.kind}>
              {each.name} <b>{value(each, index, format)}</b>
            </span>
          ))}
          <span class="quiet">{at !== undefined && time ? clock(time) : ""}</span>
        </span>
      </figcaption>
      <svg
        role="img"
        aria-label={times.length ? `${title} over the last hour. Now: ${said}.` : `${title}: no data yet.`}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        onPointerMove={move}
        onPointerLeave={() => {
          setAt(undefined);
        }}
      >
        <line class="base" x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        {series.map((each) => (
          <path key={each.name} class={each.kind} d={area(each.values, x, top)} />
        ))}
        {at !== undefined && <line class="cursor" x1={x(index)} x2={x(index)} y1="0" y2={HEIGHT} />}
      </svg>
      <div class="axis quiet" aria-hidden="true">
        <span>{times[0] ? clock(times[0]) : ""}</span>
        <span>{last && times.length > 1 ? clock(last) : ""}</span>
      </div>
    </figure>
  );
}

function value(series: Series, index: number, format: (value: number) => string): string {
  const found = series.values[index];
  return found === undefined || found === null ? "–" : format(found);
}

/** Return the path of an area. Where there is no value, the area has a gap. */
function area(values: readonly (number | null)[], x: (place: number) => number, top: number): string {
  const parts: string[] = [];
  let begun: number | undefined;
  const y = (each: number): number => HEIGHT - 1 - (each / top) * (HEIGHT - 4);
  values.forEach((each, place) => {
    if (each === null) {
      if (begun !== undefined) parts.push(`L${x(place - 1).toFixed(1)} ${HEIGHT}Z`);
      begun = undefined;
      return;
    }
    if (begun === undefined) {
      parts.push(`M${x(place).toFixed(1)} ${HEIGHT}`);
      begun = place;
    }
    parts.push(`L${x(place).toFixed(1)} ${y(each).toFixed(1)}`);
  });
  if (begun !== undefined) parts.push(`L${x(values.length - 1).toFixed(1)} ${HEIGHT}Z`);
  return parts.join("");
}
