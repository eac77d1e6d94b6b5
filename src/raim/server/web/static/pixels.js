// Image pixels on the pixels of a screen: steps of zoom, and what must be whole for one to fit on the other.

export const STEPS = [1 / 32, 1 / 16, 1 / 8, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32];
const ZOOMS = [0.5, 0.67, 0.75, 0.8, 0.9, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3]; // of browsers

// Give the next step of zoom above or below; from between two steps that is the neighbour.
export function stepZoom(zoom, isUp) {
  const near = 1e-3;
  return isUp
    ? STEPS.find((step) => step > zoom * (1 + near)) ?? STEPS.at(-1)
    : STEPS.findLast((step) => step < zoom * (1 - near)) ?? STEPS[0];
}

// Give the largest whole length in CSS pixels, at most `length`, that is a whole number of device pixels, if one is near.
export function wholeLength(length, ratio) {
  const most = Math.floor(length);
  for (let each = most; each > most - 20 && each > 0; each -= 1) {
    if (Math.abs(each * ratio - Math.round(each * ratio)) < 1e-3) return each;
  }
  return most;
}

// Give the first whole place in CSS pixels, at least `place`, that is a whole number of device pixels, if one is near.
// Browsers lay out in 64ths of a CSS pixel, so that no other place is exact.
export function wholePlace(place, ratio) {
  const first = Math.ceil(place - 1e-6);
  for (let each = first; each < first + 20; each += 1) {
    if (Math.abs(each * ratio - Math.round(each * ratio)) < 1e-3) return each;
  }
  return first;
}

// Guess whether the browser is zoomed: screens have ratios in quarters, and a window is as wide as its page.
export function isZoomed(ratio, windowPerPage, pinch) {
  const isNear = (value, other) => Math.abs(value / other - 1) < 0.015;
  if (!isNear(pinch, 1) || !isNear(4 * ratio, Math.round(4 * ratio))) return true;
  return ZOOMS.some((zoom) => isNear(windowPerPage, zoom)); // another width is that of a side bar
}

// Move the picture by less than a device pixel, so that its corner is on one.
export function align(viewport) {
  const { Point } = window.OpenSeadragon;
  const ratio = window.devicePixelRatio;
  const corner = viewport.pixelFromPoint(new Point(0, 0), true);
  const off = (value) => (value * ratio - Math.round(value * ratio)) / ratio;
  viewport.panBy(viewport.deltaPointsFromPixels(new Point(off(corner.x), off(corner.y)), true), true);
}

// Make an element with properties and children.
export function make(tag, fields = {}, ...children) {
  const element = Object.assign(document.createElement(tag), fields);
  element.append(...children);
  return element;
}
