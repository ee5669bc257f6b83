// The part of the map that is visible: moved and enlarged with the pointer, two fingers, the wheel, keys and buttons.

import type { RefObject } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Scene } from "./layout";

export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Controls {
  readonly camera: Camera;
  readonly fit: () => void;
  readonly zoom: (factor: number) => void;
  readonly move: (x: number, y: number) => void;
  /** Show a rectangle of the scene, if it is not visible. */
  readonly reveal: (x: number, y: number, width: number, height: number) => void;
  /** Whether the pointer has moved since it was pressed: then a click selects nothing. */
  readonly dragged: () => boolean;
}

const SMALLEST = 0.08;
const LARGEST = 3;
/** On a stage of fewer pixels than this, the drawing begins at a size that can be read, and not as a whole. */
const NARROW = 600;
const READABLE = 0.6;

export function useCamera(stage: RefObject<HTMLDivElement | null>, scene: Scene | undefined): Controls {
  const [camera, setCamera] = useState<Camera>({ x: 0, y: 0, scale: 1 });
  const moved = useRef(0);
  const fitted = useRef(false);

  const zoomAt = useCallback((factor: number, x: number, y: number): void => {
    setCamera((before) => {
      const scale = Math.min(LARGEST, Math.max(SMALLEST, before.scale * factor));
      const ratio = scale / before.scale;
      return { x: x - (x - before.x) * ratio, y: y - (y - before.y) * ratio, scale };
    });
  }, []);
  const move = useCallback((x: number, y: number): void => {
    setCamera((before) => ({ ...before, x: before.x + x, y: before.y + y }));
  }, []);
  const fit = useCallback((): void => {
    const box = stage.current?.getBoundingClientRect();
    if (!box || !scene?.width) return;
    const whole = Math.min(box.width / scene.width, box.height / scene.height, 1.1);
    const scale = box.width < NARROW ? Math.max(whole, READABLE) : whole;
    setCamera({
      x: Math.max(0, (box.width - scene.width * scale) / 2),
      y: Math.max(0, (box.height - scene.height * scale) / 2),
      scale,
    });
  }, [stage, scene]);
  const zoom = useCallback(
    (factor: number): void => {
      const box = stage.current?.getBoundingClientRect();
      if (box) zoomAt(factor, box.width / 2, box.height / 2);
    },
    [stage, zoomAt],
  );
  const reveal = useCallback(
    (x: number, y: number, width: number, height: number): void => {
      const box = stage.current?.getBoundingClientRect();
      if (!box) return;
      setCamera((before) => {
        const left = before.x + x * before.scale;
        const top = before.y + y * before.scale;
        const right = left + width * before.scale;
        const bottom = top + height * before.scale;
        if (left >= 0 && top >= 0 && right <= box.width && bottom <= box.height) return before;
        const scale = Math.max(before.scale, Math.min(0.8, box.width / width));
        return {
          x: box.width / 2 - (x + width / 2) * scale,
          y: box.height / 2 - (y + height / 2) * scale,
          scale,
        };
      });
    },
    [stage],
  );

  useEffect(() => {
    if (scene && !fitted.current) {
      fitted.current = true;
      fit();
    }
  }, [scene, fit]);

  useEffect(() => {
    const element = stage.current;
    if (!element) return undefined;
    const pointers = new Map<number, { x: number; y: number }>();
    const down = (event: PointerEvent): void => {
      if (event.button) return;
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      moved.current = 0;
    };
    const drag = (event: PointerEvent): void => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const now = { x: event.clientX, y: event.clientY };
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      pointers.set(event.pointerId, now);
      const [x, y] = [now.x - before.x, now.y - before.y];
      moved.current += Math.abs(x) + Math.abs(y);
      if (moved.current < 4) return;
      element.setPointerCapture(event.pointerId);
      if (!other) {
        move(x, y);
        return;
      }
      const box = element.getBoundingClientRect();
      const apart = (at: { x: number; y: number }): number => Math.hypot(at.x - other.x, at.y - other.y);
      zoomAt(
        apart(now) / Math.max(apart(before), 1),
        (now.x + other.x) / 2 - box.x,
        (now.y + other.y) / 2 - box.y,
      );
    };
    const up = (event: PointerEvent): void => {
      pointers.delete(event.pointerId);
    };
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      zoomAt(Math.exp(-event.deltaY / 400), event.clientX - box.x, event.clientY - box.y);
    };
    element.addEventListener("pointerdown", down);
    element.addEventListener("pointermove", drag);
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", up);
    element.addEventListener("wheel", wheel, { passive: false });
    return () => {
      element.removeEventListener("pointerdown", down);
      element.removeEventListener("pointermove", drag);
      element.removeEventListener("pointerup", up);
      element.removeEventListener("pointercancel", up);
      element.removeEventListener("wheel", wheel);
    };
  }, [stage, move, zoomAt]);

  const dragged = useCallback((): boolean => moved.current >= 4, []);
  return { camera, fit, zoom, move, reveal, dragged };
}
