// What a person does with a pointer, two fingers or the wheel, as moves of the camera.

import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

/** Move with one pointer, enlarge with two or with the wheel. A click after a move is no click. */
export function usePointers(
  stage: RefObject<HTMLDivElement | null>,
  zoom: (factor: number, x?: number, y?: number) => void,
  move: (x: number, y: number) => void,
): void {
  useEffect(() => {
    const element = stage.current;
    if (!element) return undefined;
    const pointers = new Map<number, { x: number; y: number }>();
    let moved = 0;
    const down = (event: PointerEvent): void => {
      if (event.button) return;
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      moved = 0;
    };
    const drag = (event: PointerEvent): void => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const now = { x: event.clientX, y: event.clientY };
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      pointers.set(event.pointerId, now);
      const [x, y] = [now.x - before.x, now.y - before.y];
      moved += Math.abs(x) + Math.abs(y);
      if (moved < 4) return;
      element.setPointerCapture(event.pointerId);
      if (!other) {
        move(x, y);
        return;
      }
      const box = element.getBoundingClientRect();
      const apart = (at: { x: number; y: number }): number => Math.hypot(at.x - other.x, at.y - other.y);
      zoom(
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
      zoom(Math.exp(-event.deltaY / 400), event.clientX - box.x, event.clientY - box.y);
    };
    const click = (event: MouseEvent): void => {
      if (moved >= 4) event.stopPropagation();
      moved = 0;
    };
    element.addEventListener("pointerdown", down);
    element.addEventListener("pointermove", drag);
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", up);
    element.addEventListener("wheel", wheel, { passive: false });
    element.addEventListener("click", click, { capture: true });
    return () => {
      element.removeEventListener("pointerdown", down);
      element.removeEventListener("pointermove", drag);
      element.removeEventListener("pointerup", up);
      element.removeEventListener("pointercancel", up);
      element.removeEventListener("wheel", wheel);
      element.removeEventListener("click", click, { capture: true });
    };
  }, [stage, move, zoom]);
}
