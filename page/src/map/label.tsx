// A text of the drawing that is cut where it has no room. SVG cuts and wraps nothing by itself, so texts are measured.

import type { JSX } from "preact";
import { visible } from "../format";

export type Style = "usual" | "bold" | "name" | "small";

/** Size and weight of each style: as in `style/drawing.css`. */
const FONTS: Record<Style, string> = {
  usual: "12px",
  bold: "600 12px",
  name: "600 13px",
  small: "11px",
};

let canvas: CanvasRenderingContext2D | null | undefined;
let family = "sans-serif";

export function Label(props: {
  text: string;
  x: number;
  y: number;
  room: number;
  style?: Style;
  class?: string;
}): JSX.Element {
  const { text, x, y, room, style = "usual" } = props;
  return (
    <text class={`${style}${props.class ? ` ${props.class}` : ""}`} x={x} y={y}>
      {cut(text, room, style)}
    </text>
  );
}

/** Return the part of a text that has room, with its invisible characters written out. */
export function cut(text: string, room: number, style: Style): string {
  const whole = visible(text);
  if (widthOf(whole, style) <= room) return whole;
  let [least, most] = [1, whole.length - 1];
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (widthOf(`${whole.slice(0, middle)}…`, style) <= room) least = middle;
    else most = middle - 1;
  }
  return `${whole.slice(0, least)}…`;
}

export function widthOf(text: string, style: Style): number {
  if (canvas === undefined) {
    canvas = document.createElement("canvas").getContext("2d");
    family = getComputedStyle(document.documentElement).fontFamily;
  }
  if (!canvas) return text.length * 7;
  canvas.font = `${FONTS[style]} ${family}`;
  return canvas.measureText(text).width;
}

/** Return a name in at most two lines of about the same length, broken after a hyphen or the like where there is one. */
export function wrapped(text: string, lines: 1 | 2): string[] {
  const whole = visible(text);
  const breaks = lines === 1 ? [] : [...whole.matchAll(/[-_.]/g)].map((each) => each.index + 1);
  const longest = (at: number): number => Math.max(at, whole.length - at);
  const best = breaks.sort((one, other) => longest(one) - longest(other))[0];
  return best && best < whole.length ? [whole.slice(0, best), whole.slice(best)] : [whole];
}
