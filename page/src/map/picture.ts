// The map as a file. The styles of the page become attributes, so that the picture looks the same elsewhere.

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
/** Pixels of a PNG for each pixel of the drawing, and the most in one direction. */
const SHARP = 2;
const MOST = 8192;

export async function save(drawing: SVGSVGElement, kind: "svg" | "png"): Promise<void> {
  const { text, width, height } = standalone(drawing);
  const svg = new Blob([text], { type: "image/svg+xml" });
  download(kind === "svg" ? svg : await png(svg, width, height), `estate.${kind}`);
}

function standalone(drawing: SVGSVGElement): { text: string; width: number; height: number } {
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  const [from, to] = [drawing, copy].map((each) => [...each.querySelectorAll("*")]);
  from?.forEach((each, index) => {
    const style = getComputedStyle(each);
    const target = to?.[index];
    for (const name of STYLES) target?.setAttribute(name, style.getPropertyValue(name));
    target?.removeAttribute("class");
    for (const { name } of [...(target?.attributes ?? [])]) {
      if (name.startsWith("data-")) target?.removeAttribute(name);
    }
  });
  const back = drawing.querySelector(".back");
  const [width, height] = ["width", "height"].map((name) => Number(back?.getAttribute(name)));
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("viewBox", `0 0 ${width ?? 0} ${height ?? 0}`);
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  copy.removeAttribute("class");
  copy.firstElementChild?.removeAttribute("transform");
  return { text: new XMLSerializer().serializeToString(copy), width: width ?? 0, height: height ?? 0 };
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
