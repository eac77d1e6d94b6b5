// Regions that a judge marks, in pixels of the candidates: dragged with the pointer, or all that is in view.

// Give the region between two points (in widths of the image); null if it is hardly more than a click.
export function span(from, to, { width, height }) {
  const side = (a, b, most) => [a, b].map((each) => Math.min(Math.max(each * width, 0), most)).sort((p, q) => p - q);
  const [left, right] = side(from.x, to.x, width);
  const [top, bottom] = side(from.y, to.y, height);
  if (right - left < 2 || bottom - top < 2) return null;
  const x = Math.floor(left);
  const y = Math.floor(top);
  return { x, y, width: Math.ceil(right) - x, height: Math.ceil(bottom) - y };
}

// Follow a drag from its first event; `pointOf(event)` gives points, `onEnd(from, to)` gets the two corners.
export function followDrag(event, pointOf, onEnd) {
  event.stopPropagation();
  event.preventDefault();
  const from = pointOf(event);
  const give = (last) => {
    forget();
    onEnd(from, pointOf(last));
  };
  const forget = () => {
    removeEventListener("pointerup", give, true);
    removeEventListener("pointercancel", forget, true);
  };
  addEventListener("pointerup", give, true);
  addEventListener("pointercancel", forget, true);
}
