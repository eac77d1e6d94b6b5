// Regions of a picture that comments speak of: drawn over every layer of a comparison, and marked by dragging.

import { make } from "./pixels.js";

// Give the rectangle between two corners in whole pixels inside the image.
export function spanRegion(one, other, { width, height }) {
  const clamp = (value, most) => Math.min(Math.max(value, 0), most);
  const [left, right] = [one.x, other.x].map((x) => clamp(x, width)).sort((a, b) => a - b);
  const [top, bottom] = [one.y, other.y].map((y) => clamp(y, height)).sort((a, b) => a - b);
  const x = Math.floor(left);
  const y = Math.floor(top);
  return { x, y, width: Math.ceil(right) - x, height: Math.ceil(bottom) - y };
}

function readRegions(given) {
  if (!given) return [];
  const text = given.trimStart().startsWith("[") ? given : document.getElementById(given)?.textContent;
  return JSON.parse(text || "[]");
}

function makeBox(label, number, className = "") {
  return make("div", { className: `compare-region ${className}` }, make("span", { title: label }, String(number)));
}

export class Regions {
  constructor(compare) {
    const { regions, regionForm } = compare.root.dataset;
    this.compare = compare;
    this.given = readRegions(regions);
    this.form = document.getElementById(regionForm ?? "");
    this.form?.addEventListener("input", () => this.showDraft());
    this.showButton = make("button", { type: "button", ariaPressed: "true", hidden: !this.given.length }, "Regions");
    this.showButton.addEventListener("click", () => this.toggle());
    this.markButton = make("button", { type: "button", ariaPressed: "false", hidden: !this.form }, "Mark a region");
    this.markButton.addEventListener("click", () => this.mark(this.markButton.ariaPressed === "false"));
  }

  get openLayers() {
    return this.compare.layers.filter((layer) => layer.size);
  }

  toggle() {
    const isOff = this.compare.root.classList.toggle("compare-regions-off");
    this.showButton.ariaPressed = String(!isOff);
  }

  // Draw what was given over the layers that have come; pixels are known once the main layer has.
  placeAll() {
    if (!this.compare.main.size) return;
    for (const layer of this.openLayers.filter((each) => !each.hasRegions)) {
      layer.hasRegions = true;
      this.given.forEach((region, number) => this.place(layer, region, makeBox(region.label, number + 1)));
    }
    this.showDraft();
  }

  place(layer, { x, y, width, height }, element) {
    const unit = this.compare.width;
    const location = new window.OpenSeadragon.Rect(x / unit, y / unit, width / unit, height / unit);
    layer.viewer.addOverlay({ element, location });
  }

  // Draw the region that the form holds.
  showDraft() {
    if (!this.form) return;
    const read = (name) => Number(this.form.elements[`region_${name}`].value);
    const region = { x: read("x"), y: read("y"), width: read("width"), height: read("height") };
    for (const layer of this.openLayers) {
      if (layer.draft) layer.viewer.removeOverlay(layer.draft);
      layer.draft = region.width > 0 && region.height > 0 ? makeBox("", "new", "is-new") : null;
      if (layer.draft) this.place(layer, region, layer.draft);
    }
  }

  // While marking, a cover over each picture takes the pointer.
  mark(isOn) {
    for (const layer of this.compare.layers) layer.cover?.remove();
    this.markButton.ariaPressed = String(isOn);
    if (!isOn) return;
    for (const layer of this.openLayers) {
      layer.cover = make("div", { className: "compare-mark" });
      layer.cover.addEventListener("pointerdown", (event) => this.drag(layer, event));
      layer.stage.append(layer.cover);
    }
    this.compare.views.focus({ preventScroll: true });
  }

  drag(layer, start) {
    const { width } = this.compare;
    const size = { width, height: (width * layer.size.y) / layer.size.x };
    const cornerAt = (event) => {
      const { x, y } = this.compare.pointOf(layer, event);
      return { x: x * width, y: y * width };
    };
    const first = cornerAt(start);
    const update = (event) => {
      const region = spanRegion(first, cornerAt(event), size);
      for (const [name, value] of Object.entries(region)) this.form.elements[`region_${name}`].value = value;
      this.showDraft();
    };
    start.preventDefault();
    layer.cover.setPointerCapture(start.pointerId);
    layer.cover.addEventListener("pointermove", update);
    layer.cover.addEventListener("pointerup", (event) => {
      update(event);
      this.mark(false);
      this.form.dispatchEvent(new CustomEvent("region-marked", { bubbles: true }));
    }, { once: true });
  }
}
