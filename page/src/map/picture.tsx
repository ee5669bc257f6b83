// The map as a file: all of it from near, in light colours, with a title and the time. The styles of the page become
// attributes, so that the picture looks the same elsewhere.

import { render } from "preact";
import { absolute, visible } from "../format";
import { Drawing } from "./drawing";
import type { Scene } from "./layout";

const STYLES = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "opacity",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
] as const;
const SVG = "http://www.w3.org/2000/svg";
/** Height of the title. */
const TITLE = 44;
/** Pixels of a PNG for each pixel of the drawing, and the most in one direction. */
const SHARP = 2;
const MOST = 8192;

/** What is in a picture. `title`: of the whole. */
export interface Pictured {
  readonly scene: Scene;
  readonly focus: string | null;
  readonly title: string;
}

export async function save(pictured: Pictured, kind: "svg" | "png"): Promise<void> {
  const now = new Date();
  const { text, width, height } = standalone(pictured, now);
  const svg = new Blob([text], { type: "image/svg+xml" });
  const day = now.toISOString().slice(0, 10);
  download(kind === "svg" ? svg : await png(svg, width, height), `estate-${day}.${kind}`);
}

function standalone(
  { scene, focus, title }: Pictured,
  now: Date,
): { text: string; width: number; height: number } {
  const [width, height] = [Math.max(scene.width, 520), scene.height + TITLE];
  const host = document.createElement("div");
  host.className = "map-picture";
  document.body.append(host);
  try {
    render(
      <svg xmlns={SVG} class="drawing" viewBox={`0 0 ${width} ${height}`} width={width} height={height}>
        <rect class="back" width={width} height={height} />
        <text class="heading" x="20" y="28">
          {visible(title)}
        </text>
        <text class="small end" x={width - 20} y="28">
          {`pldns, ${absolute(now)}`}
        </text>
        <g transform={`translate(0 ${TITLE})`}>
          <Drawing scene={scene} focus={focus} scale={1} />
        </g>
      </svg>,
      host,
    );
    const drawing = host.querySelector("svg");
    if (!drawing) throw new Error("the picture was not drawn");
    for (const each of drawing.querySelectorAll("*")) {
      const style = getComputedStyle(each);
      for (const name of STYLES) each.setAttribute(name, style.getPropertyValue(name));
    }
    for (const each of [drawing, ...drawing.querySelectorAll("*")])
      for (const { name } of [...each.attributes])
        if (name === "class" || name.startsWith("data-")) each.removeAttribute(name);
    return { text: new XMLSerializer().serializeToString(drawing), width, height };
  } finally {
    render(null, host);
    host.remove();
  }
}

async function png(svg: Blob, width: number, height: number): Promise<Blob> {
  const url = URL.createObjectURL(svg);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const scale = Math.min(SHARP, MOST / Math.max(width, height, 1));
    const canvas = document.createElement("canvas");
    canvas.width = Math.ceil(width * scale);
    canvas.height = Math.ceil(height * scale);
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((made) => {
        if (made) resolve(made);
        else reject(new Error("this browser cannot make the picture"));
      });
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}

function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, 10_000);
}
