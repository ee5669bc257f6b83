// The part of the map that is visible. Until somebody moves it, all of the map is; afterwards the same part stays where it
// is on the screen, also when the map changes.

import type { RefObject } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Scene } from "./layout";
import type { Size } from "./plan";
import { usePointers } from "./pointers";

export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Rectangle extends Size {
  readonly x: number;
  readonly y: number;
}

export interface Controls {
  readonly camera: Camera;
  /** Show all of the map. */
  readonly fit: () => void;
  /** Enlarge around a place on the stage, by default its middle. */
  readonly zoom: (factor: number, x?: number, y?: number) => void;
  readonly move: (x: number, y: number) => void;
  /** Show a rectangle of the scene, in the middle of the stage if it is not visible, or with `always`. */
  readonly reveal: (place: Rectangle, always: boolean) => void;
}

const SMALLEST = 0.04;
const LARGEST = 3;
/** The largest scale of a map that is shown as a whole. */
const WHOLE = 1.25;
/** The least scale at which what somebody looks for is shown. */
const READABLE = 0.65;

export function useCamera(
  stage: RefObject<HTMLDivElement | null>,
  scene: Scene | undefined,
  size: Size,
): Controls {
  const [camera, setCamera] = useState<Camera>({ x: 0, y: 0, scale: 1 });
  const own = useRef(false);
  const before = useRef<Scene | undefined>(undefined);

  const fit = useCallback((): void => {
    own.current = false;
    if (!scene?.width || !size.width) return;
    const scale = Math.min(size.width / scene.width, size.height / scene.height, WHOLE);
    const middle = (all: number, part: number): number => (all - part * scale) / 2;
    setCamera({ x: middle(size.width, scene.width), y: middle(size.height, scene.height), scale });
  }, [scene, size.width, size.height]);

  const zoom = useCallback(
    (factor: number, x = size.width / 2, y = size.height / 2): void => {
      own.current = true;
      setCamera((last) => {
        const scale = Math.min(LARGEST, Math.max(SMALLEST, last.scale * factor));
        const ratio = scale / last.scale;
        return { x: x - (x - last.x) * ratio, y: y - (y - last.y) * ratio, scale };
      });
    },
    [size.width, size.height],
  );

  const move = useCallback((x: number, y: number): void => {
    own.current = true;
    setCamera((last) => ({ ...last, x: last.x + x, y: last.y + y }));
  }, []);

  const reveal = useCallback(
    (place: Rectangle, always: boolean): void => {
      setCamera((last) => {
        const [left, top] = [last.x + place.x * last.scale, last.y + place.y * last.scale];
        const [right, bottom] = [left + place.width * last.scale, top + place.height * last.scale];
        const isVisible = left >= 0 && top >= 0 && right <= size.width && bottom <= size.height;
        if (isVisible && (!always || last.scale >= READABLE)) return last;
        own.current = true;
        const room = Math.min((size.width * 0.9) / place.width, (size.height * 0.9) / place.height);
        const scale = Math.max(last.scale, Math.min(READABLE, room));
        return {
          x: size.width / 2 - (place.x + place.width / 2) * scale,
          y: size.height / 2 - (place.y + place.height / 2) * scale,
          scale,
        };
      });
    },
    [size.width, size.height],
  );

  useEffect(() => {
    const last = before.current;
    before.current = scene;
    if (!own.current) fit();
    else if (scene && last && last !== scene) {
      setCamera((now) => anchored(now, last, scene, size));
    }
  }, [scene, fit]);

  usePointers(stage, zoom, move);
  return { camera, fit, zoom, move, reveal };
}

/** Return the camera that keeps the box in the middle of the stage where it is, although the scene has changed. */
function anchored(camera: Camera, last: Scene, scene: Scene, size: Size): Camera {
  const middle = {
    x: (size.width / 2 - camera.x) / camera.scale,
    y: (size.height / 2 - camera.y) / camera.scale,
  };
  const now = new Map(scene.boxes.map((each) => [each.node.id, each]));
  let nearest: { distance: number; x: number; y: number } | undefined;
  for (const each of last.boxes) {
    const same = now.get(each.node.id);
    if (!same) continue;
    const distance = Math.hypot(
      middle.x - Math.min(Math.max(middle.x, each.x), each.x + each.width),
      middle.y - Math.min(Math.max(middle.y, each.y), each.y + each.height),
    );
    if (!nearest || distance < nearest.distance)
      nearest = { distance, x: same.x - each.x, y: same.y - each.y };
  }
  if (!nearest) return camera;
  return {
    ...camera,
    x: camera.x - nearest.x * camera.scale,
    y: camera.y - nearest.y * camera.scale,
  };
}
