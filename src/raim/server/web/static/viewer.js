// Pictures of the same scene compared: side by side, with a slider, or in the same place (flicker), in step.
//   <div class="compare" data-compare data-regions='[{"x","y","width","height","label"}]' data-region-form="form-id">
//     <a data-layer="input" href="/….png">Input</a> <a data-layer="restored" href="/….png">Restored</a> …</div>
// data-regions may also name a <script type="application/json">. Regions are in pixels of the layer "restored".
// Needs vendor/openseadragon.min.js; without it, or without scripts, the links stay links.
// Zoom is in device pixels: at 1:1 one image pixel is one pixel of the screen, and whole zooms show whole pixels.

import { STEPS, align, isZoomed, make, stepZoom, wholeLength } from "./pixels.js";
import { Regions } from "./regions.js";

const PAN_PX = 60;
const SHOWN_AT_FIRST = 4;
const MODES = { side: "Side by side", slider: "Slider", flicker: "Flicker" };
const KEYS = [
  ["S", "side by side"], ["D", "divide with the slider"], ["F or space", "flicker; again: the next picture"],
  ["1 … 9", "that picture (side by side: show or hide it)"], ["+ −", "zoom; so does the wheel"],
  ["Z", "1:1, one image pixel on one pixel of the screen"], ["0", "the whole picture"], ["arrows", "move"],
  ["R", "show or hide marked regions"], ["Esc", "stop marking"],
];

class Compare {
  constructor(root) {
    this.root = root;
    this.layers = [...root.querySelectorAll("a[data-layer]")].map((link) => ({
      name: link.dataset.layer, label: link.textContent.trim(), link, viewer: null, size: null,
    }));
    this.main = this.layers.find((layer) => layer.name === "restored") ?? this.layers[0];
    this.regions = new Regions(this);
    this.mode = "side";
    this.shown = new Set(this.layers.slice(0, SHOWN_AT_FIRST));
    this.front = this.main;
    this.pair = [this.layers[0], this.layers[1] ?? this.layers[0]];
    this.divide = 0.5;
    this.view = null; // {x, y: centre in widths of the image, zoom: device pixels per image pixel, isFit}
    this.isFollowing = false;
    this.build();
    this.show();
  }

  build() {
    this.views = make("div", { className: "compare-views", tabIndex: 0, role: "group" });
    this.views.ariaLabel = "Pictures; the keys are listed below";
    for (const layer of this.layers) {
      layer.canvas = make("div", { className: "compare-canvas", role: "img", ariaLabel: layer.label });
      layer.stage = make("div", { className: "compare-stage" }, layer.canvas);
      layer.figure = make("figure", { className: "compare-view" }, make("figcaption", {}, layer.link), layer.stage);
      layer.stage.addEventListener("wheel", (event) => this.onWheel(event, layer), { capture: true, passive: false });
    }
    this.slider = make("div", { className: "compare-slider", role: "slider", tabIndex: 0, hidden: true });
    this.slider.ariaLabel = "Where the right picture begins, in percent";
    this.views.append(...this.layers.map((layer) => layer.figure), this.slider);
    this.warning = make("p", { className: "compare-warning", role: "status", hidden: true });
    const keys = KEYS.map(([key, words]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, words)]).flat();
    this.root.replaceChildren(this.buildTools(), this.views, this.warning, make("details", { className: "compare-keys" },
      make("summary", {}, "Keys, after a click into a picture"), make("dl", {}, ...keys)));
    this.root.classList.add("is-ready");
    this.listen();
  }

  buildTools() {
    const button = (words, act, fields = {}) => {
      const made = make("button", { type: "button", ...fields }, words);
      made.addEventListener("click", act);
      return made;
    };
    const group = (label, ...children) => make("div", { role: "group", ariaLabel: label }, ...children);
    const select = (label, place) => {
      const options = this.layers.map((layer, number) => new Option(layer.label, number));
      const made = make("select", {}, ...options);
      made.value = this.layers.indexOf(this.pair[place]);
      made.addEventListener("change", () => {
        this.pair[place] = this.layers[made.value];
        this.show();
      });
      return make("label", {}, `${label} `, made);
    };
    this.modeButtons = Object.fromEntries(Object.entries(MODES)
      .map(([mode, words]) => [mode, button(words, () => this.setMode(mode))]));
    for (const layer of this.layers) layer.button = button(layer.label, () => this.pick(layer));
    this.layerTools = group("Pictures", ...this.layers.map((layer) => layer.button));
    this.pairTools = group("Pictures of the slider", select("Left", 0), select("Right", 1));
    this.zoomText = make("span", { className: "compare-zoom", role: "status" });
    return make("div", { className: "compare-tools" },
      group("How to compare", ...Object.values(this.modeButtons)), this.layerTools, this.pairTools,
      group("Zoom", button("−", () => this.zoomStep(false), { ariaLabel: "Zoom out" }), this.zoomText,
        button("+", () => this.zoomStep(true), { ariaLabel: "Zoom in" }), button("1:1", () => this.zoomTo(1)),
        button("Fit", () => this.fit())),
      group("Regions", this.regions.showButton, this.regions.markButton));
  }

  listen() {
    this.views.addEventListener("keydown", (event) => this.onKey(event));
    // A click gives the focus to one picture, which may be hidden next.
    this.views.addEventListener("focusin", ({ target }) => {
      if (target !== this.slider && target.matches(".openseadragon-canvas")) this.views.focus({ preventScroll: true });
    });
    const move = (event) => {
      const box = this.views.getBoundingClientRect();
      this.setDivide((event.clientX - box.left) / box.width);
    };
    this.slider.addEventListener("pointerdown", (event) => {
      this.slider.setPointerCapture(event.pointerId);
      this.slider.addEventListener("pointermove", move);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      this.slider.addEventListener(end, () => this.slider.removeEventListener("pointermove", move));
    }
    new ResizeObserver(() => this.fitStages()).observe(this.views);
    addEventListener("resize", () => this.fitStages());
  }

  // ---- What is shown

  setMode(mode) {
    this.mode = mode;
    this.show();
  }

  pick(layer) {
    if (this.mode === "flicker") this.front = layer;
    else if (this.shown.has(layer) && this.shown.size > 1) this.shown.delete(layer);
    else this.shown.add(layer);
    this.show();
  }

  flick() {
    if (this.mode !== "flicker") return this.setMode("flicker");
    const turn = this.layers.filter((layer) => this.shown.has(layer));
    this.front = turn[(turn.indexOf(this.front) + 1) % turn.length] ?? this.front;
    return this.show();
  }

  visible() {
    if (this.mode === "side") return this.layers.filter((layer) => this.shown.has(layer));
    return this.mode === "slider" ? this.pair : [this.front];
  }

  show() {
    const isStacked = this.mode !== "side";
    const visible = this.visible();
    this.views.classList.toggle("is-stacked", isStacked);
    this.views.classList.toggle("is-slider", this.mode === "slider");
    for (const layer of this.layers) {
      const isShown = visible.includes(layer);
      layer.figure.hidden = !isStacked && !isShown;
      layer.figure.classList.toggle("is-behind", isStacked && !isShown);
      layer.figure.style.zIndex = isStacked && layer === this.pair[1] ? 2 : "";
      layer.button.ariaPressed = String(isShown);
    }
    for (const [mode, button] of Object.entries(this.modeButtons)) button.ariaPressed = String(mode === this.mode);
    this.layerTools.hidden = this.mode === "slider";
    this.pairTools.hidden = this.slider.hidden = this.mode !== "slider";
    this.setDivide(this.divide);
    this.fitStages();
    // In flicker mode the others are made too, so that a switch shows a picture that is there.
    const wanted = this.mode === "flicker" ? this.layers.filter((layer) => this.shown.has(layer)) : visible;
    for (const layer of new Set([...visible, ...wanted])) if (!layer.viewer) this.open(layer);
  }

  setDivide(share) {
    this.divide = Math.min(Math.max(share, 0), 1);
    const percent = `${(100 * this.divide).toFixed(2)}%`;
    this.slider.style.left = percent;
    this.slider.setAttribute("aria-valuenow", Math.round(100 * this.divide));
    for (const layer of this.layers) {
      const isRight = this.mode === "slider" && layer === this.pair[1] && layer !== this.pair[0];
      layer.figure.style.clipPath = isRight ? `inset(0 0 0 ${percent})` : "";
    }
  }

  // Make every canvas whole device pixels large, or the browser would resample it.
  fitStages() {
    const ratio = window.devicePixelRatio;
    for (const { figure, stage, canvas } of this.layers) {
      if (figure.hidden) continue;
      canvas.style.width = `${wholeLength(stage.clientWidth, ratio)}px`;
      canvas.style.height = `${wholeLength(stage.clientHeight, ratio)}px`;
    }
    this.warnOfZoom();
  }

  warnOfZoom() {
    const { devicePixelRatio, innerWidth, outerWidth, visualViewport } = window;
    this.warning.hidden = !isZoomed(devicePixelRatio, outerWidth / innerWidth, visualViewport?.scale ?? 1);
    const words = "The browser seems to be zoomed: set it to 100 % (Ctrl+0), so that 1:1 shows the very pixels.";
    if (!this.warning.hidden && this.warning.textContent !== words) this.warning.textContent = words;
  }

  // ---- One view for all

  open(layer) {
    const viewer = layer.viewer = window.OpenSeadragon({
      element: layer.canvas,
      tileSources: { type: "image", url: layer.link.href },
      drawer: "canvas", // a WebGL context for each would run out at about eight
      imageSmoothingEnabled: false,
      animationTime: 0,
      blendTime: 0,
      immediateRender: true,
      showNavigationControl: false,
      keyboardNavEnabled: false,
      tabIndex: -1,
      cooperativeGestures: true, // one finger scrolls the page, two move the picture
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: false, flickEnabled: false },
      gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: false, flickEnabled: false },
      gestureSettingsPen: { clickToZoom: false, dblClickToZoom: false, flickEnabled: false },
      visibilityRatio: 0.1,
      minZoomImageRatio: 0.25,
      maxZoomPixelRatio: STEPS.at(-1),
    });
    // The canvas drawer makes tiles a pixel larger against seams, which doubles a column and a row of ours: one tile.
    viewer.drawer.minimumOverlapRequired = () => false;
    viewer.addHandler("open", () => {
      const before = this.width;
      layer.size = viewer.world.getItemAt(0).getContentSize();
      if (this.view) this.view.zoom *= before / this.width; // zoom is in pixels of the main layer, now known
      if (layer === this.leader) {
        const aspect = Math.min(Math.max(layer.size.x / layer.size.y, 0.75), 2);
        this.views.style.setProperty("--aspect", aspect.toFixed(4));
      }
      if (this.view && !this.view.isFit) this.setView(this.view);
      else this.fit();
      this.regions.placeAll();
    });
    viewer.addHandler("resize", () => requestAnimationFrame(() => (this.view?.isFit ? this.fit() : this.apply(layer))));
    for (const change of ["zoom", "pan"]) viewer.addHandler(change, () => this.follow(layer));
  }

  // Pixels of the main picture in the width of an image: all layers show the same scene, whatever their size.
  get width() {
    return (this.main.size ?? this.layers.find((layer) => layer.size)?.size)?.x ?? 1;
  }

  follow(layer) {
    const { viewport } = layer.viewer;
    if (this.isFollowing || !layer.size || !layer.box?.equals(viewport.getContainerSize())) return; // a resize
    const { x, y } = viewport.getCenter(true);
    const zoom = this.zoomOf(viewport, viewport.getZoom(true));
    const pixel = 1 / (zoom * this.width);
    const isSame = Math.max(Math.abs(x - this.view.x), Math.abs(y - this.view.y)) < pixel && Math.abs(zoom / this.view.zoom - 1) < 1e-6;
    if (!isSame) this.setView({ x, y, zoom, isFit: false });
  }

  zoomOf(viewport, zoom) {
    return (zoom * viewport.getContainerSize().x * window.devicePixelRatio) / this.width;
  }

  setView(view) {
    this.view = view;
    for (const layer of this.layers) this.apply(layer);
    const percent = 100 * view.zoom;
    this.zoomText.textContent = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
  }

  apply(layer) {
    if (!layer.size || !this.view || layer.figure.hidden) return;
    const { viewport, drawer } = layer.viewer;
    const { x, y, zoom } = this.view;
    layer.box = viewport.getContainerSize();
    this.isFollowing = true; // what is set here is no move of the reader's
    viewport.zoomTo((zoom * this.width) / (viewport.getContainerSize().x * window.devicePixelRatio), null, true);
    viewport.panTo(new window.OpenSeadragon.Point(x, y), true);
    if (Number.isInteger(Math.round(zoom * 1e6) / 1e6)) align(viewport);
    this.isFollowing = false;
    drawer.setImageSmoothingEnabled(zoom < 0.999); // a reduced picture without it shows patterns that are not there
  }

  get leader() {
    return this.visible().find((layer) => layer.size) ?? this.layers.find((layer) => layer.size);
  }

  fit() {
    const { leader } = this;
    if (!leader) return;
    const { viewport } = leader.viewer;
    const { x, y } = viewport.getHomeBounds().getCenter();
    const zoom = this.zoomOf(viewport, viewport.getHomeZoom());
    this.setView({ x, y, zoom: zoom > 1 ? Math.floor(zoom) : zoom, isFit: true });
  }

  // Zoom about a point of the image (in its widths), which stays where it is; about the centre if none is given.
  zoomTo(zoom, about = this.view) {
    if (!this.view) return;
    const share = this.view.zoom / zoom;
    const at = (key) => about[key] + (this.view[key] - about[key]) * share;
    this.setView({ x: at("x"), y: at("y"), zoom, isFit: false });
  }

  zoomStep(isUp, about) {
    if (this.view) this.zoomTo(stepZoom(this.view.zoom, isUp), about);
  }

  panBy(x, y) {
    if (!this.view) return;
    const unit = PAN_PX / (this.view.zoom * this.width);
    this.setView({ ...this.view, x: this.view.x + x * unit, y: this.view.y + y * unit, isFit: false });
  }

  // The wheel scrolls the page until the pictures have been clicked.
  onWheel(event, layer) {
    event.stopPropagation();
    if (!layer.size || !(event.ctrlKey || this.views.contains(document.activeElement))) return;
    event.preventDefault();
    this.turned = (this.turned ?? 0) + event.deltaY * (event.deltaMode ? 40 : 1);
    if (Math.abs(this.turned) < 40) return;
    this.zoomStep(this.turned < 0, this.pointOf(layer, event));
    this.turned = 0;
  }

  pointOf(layer, event) {
    const box = layer.canvas.getBoundingClientRect();
    const pixel = new window.OpenSeadragon.Point(event.clientX - box.left, event.clientY - box.top);
    return layer.viewer.viewport.pointFromPixel(pixel, true);
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === this.slider && event.key.startsWith("Arrow")) {
      this.setDivide(this.divide + (["ArrowRight", "ArrowUp"].includes(event.key) ? 0.02 : -0.02));
      event.preventDefault();
      return;
    }
    const number = "123456789".indexOf(event.key);
    const act = {
      s: () => this.setMode("side"), d: () => this.setMode("slider"), f: () => this.flick(), " ": () => this.flick(),
      "+": () => this.zoomStep(true), "=": () => this.zoomStep(true), "-": () => this.zoomStep(false),
      z: () => this.zoomTo(1), 0: () => this.fit(), r: () => this.regions.toggle(), escape: () => this.regions.mark(false),
      arrowleft: () => this.panBy(-1, 0), arrowright: () => this.panBy(1, 0),
      arrowup: () => this.panBy(0, -1), arrowdown: () => this.panBy(0, 1),
    }[event.key.toLowerCase()] ?? (this.layers[number] && (() => this.pick(this.layers[number])));
    if (!act) return;
    event.preventDefault();
    act();
  }

}

// OpenSeadragon adds a <style>, which the policy of the pages forbids, unless it finds its own; this is a mere name.
function claimStyle() {
  const mark = document.createElementNS("urn:raim", "style");
  mark.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(mark);
}

if (typeof document !== "undefined" && window.OpenSeadragon) {
  claimStyle();
  window.OpenSeadragon.setString("Errors.OpenFailed", "This picture could not be loaded. Its name above is a link to it.");
  for (const root of document.querySelectorAll("[data-compare]")) if (root.querySelector("a[data-layer]")) new Compare(root);
}
