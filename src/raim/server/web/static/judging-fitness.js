// Whether a window is fit to judge in: what the browser can tell, and what keeps a judge from going on.

import { isZoomed } from "./pixels.js";

// Give sizes, zoom and colours as the browser states them.
export function findFacts() {
  const { innerWidth, innerHeight, outerWidth, devicePixelRatio, visualViewport, screen } = window;
  const pinch = visualViewport?.scale ?? 1;
  const guess = Math.round(100 * (outerWidth / innerWidth) * pinch);
  const zoomed = isZoomed(devicePixelRatio, outerWidth / innerWidth, pinch);
  return {
    window_width: innerWidth, window_height: innerHeight, screen_width: screen.width, screen_height: screen.height,
    pixel_ratio: Math.round(devicePixelRatio * 1000) / 1000,
    zoom_percent: zoomed ? (guess === 100 ? 101 : guess) : 100,
    colour_depth: screen.colorDepth,
    gamut: ["rec2020", "p3", "srgb"].find((name) => matchMedia(`(color-gamut: ${name})`).matches) ?? "",
    has_mouse: matchMedia("(any-pointer: fine)").matches,
  };
}

// Say why nobody can judge here; "" if somebody can.
export function findObstacle({ window_width: width, window_height: height, has_mouse: hasMouse }, leastWidth, leastHeight) {
  if (!hasMouse) {
    return "This looks like a phone or a tablet: differences between candidates are a few pixels wide and cannot be judged on it. " +
      "Open your link on a computer with a mouse or a touch pad; your votes are kept.";
  }
  if (width < leastWidth || height < leastHeight) {
    return `The window is ${width} × ${height}; at least ${leastWidth} × ${leastHeight} are needed. Make it larger (F11), or use a larger screen.`;
  }
  return "";
}
