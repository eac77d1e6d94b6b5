// The wall of pictures: the input and all candidates in viewers that move in step, as a grid, some of them large, or one.
// Zoom is in device pixels a candidate's pixel: at 1:1 an image's pixel is a pixel of the screen. Above it pixels are
// repeated whole; below it, at 1:2, 1:4, ..., a level of the pyramid is shown pixel by pixel. Only the whole picture
// may stand between two levels; then it is reduced smoothly, and the words beside the zoom say so.

import { followDrag, span } from "./judging-marks.js";
import { nextStep, sayZoom, stepAt, tileSource } from "./judging-zoom.js";
import { align, make, wholeLength, wholePlace } from "./pixels.js";

const PAN_PX = 80;
const MOST_LARGE = 4;
const TILES_KEPT = 8; // of a viewer beside those in view, about 2 MB each; the browser's own cache has the rest
const TRIES = 8; // of a tile, while the server is unavailable for a moment

// OpenSeadragon adds a <style>, which the policy of the pages forbids, unless it finds its own; this is a mere name.
function claimStyle() {
  if (document.head.querySelector("[data-openseadragon-mobile-css]")) return;
  const mark = document.createElementNS("urn:raim", "style");
  mark.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(mark);
}

export class Wall {
  // events: onCurrent(label), onClick(label), onRegion(region), onZoom(words), onShown()
  constructor(root, events) {
    this.root = root;
    this.events = events;
    this.views = [];
    this.view = null; // {x, y: centre in widths of the image, zoom, isFit}
    this.large = new Set();
    this.front = null; // the one picture that fills the wall
    this.held = null; // what flickers in its place while a key is held
    this.current = null;
    this.isMarking = false;
    claimStyle();
    new ResizeObserver(() => this.layOut()).observe(root);
    addEventListener("resize", () => this.layOut());
  }

  // Show the pictures of a trial; viewers are used again.
  open(trial) {
    this.trial = trial;
    this.width = trial.image.width;
    this.isShown = false;
    this.large.clear();
    this.front = this.held = null;
    const wanted = [{ label: "Input", ...trial.input },
      ...trial.candidates.map((each) => ({ ...trial.image, ...each }))];
    while (this.views.length > wanted.length) {
      const gone = this.views.pop();
      gone.viewer.destroy();
      gone.figure.remove();
    }
    wanted.forEach((source, place) => this.openView(place, source));
    this.current = this.views[1];
    this.view = null;
    this.layOut();
    this.fit();
    this.setCurrent(this.views[1]);
  }

  openView(place, source) {
    const view = this.views[place] ?? this.makeView(place);
    view.label = source.label;
    view.size = source;
    view.isLoaded = false;
    view.button.textContent = source.label;
    view.figure.setAttribute("aria-label", place ? `Candidate ${source.label}` : "Input");
    view.viewer.clearOverlays();
    view.viewer.open(tileSource(source, this.trial.image.tile));
  }

  makeView(place) {
    const view = { place, isLoaded: false };
    view.button = make("button", { type: "button" });
    view.canvas = make("div", { className: "canvas" });
    view.figure = make("figure", { className: "view", role: "group" }, make("figcaption", {}, view.button), view.canvas);
    this.root.append(view.figure);
    view.button.addEventListener("click", () => place && this.events.onClick(view.label));
    view.button.addEventListener("focus", () => this.setCurrent(view));
    view.figure.addEventListener("pointerenter", () => this.setCurrent(view));
    view.figure.addEventListener("wheel", (event) => this.onWheel(event, view), { capture: true, passive: false });
    view.figure.addEventListener("dblclick", () => this.fill(view));
    view.figure.addEventListener("pointerdown", (event) => this.startMark(event, view), { capture: true });
    view.viewer = this.makeViewer(view);
    this.views[place] = view;
    return view;
  }

  makeViewer(view) {
    const gestures = { clickToZoom: false, dblClickToZoom: false, flickEnabled: false, scrollToZoom: false };
    const viewer = window.OpenSeadragon({
      element: view.canvas,
      drawer: "canvas", // a WebGL context for each would run out at about eight
      imageSmoothingEnabled: false,
      animationTime: 0,
      blendTime: 0,
      immediateRender: true,
      minPixelRatio: 0.51, // at 1:2 the half level is shown, not the full one reduced
      maxImageCacheCount: TILES_KEPT,
      imageLoaderLimit: 4,
      tileRetryMax: TRIES,
      tileRetryDelay: 1500,
      showNavigationControl: false,
      keyboardNavEnabled: false,
      tabIndex: -1,
      gestureSettingsMouse: gestures,
      gestureSettingsTouch: gestures,
      gestureSettingsPen: gestures,
      visibilityRatio: 0.1,
      minZoomImageRatio: 0.1,
      maxZoomPixelRatio: 64,
    });
    // The canvas drawer makes tiles a pixel larger against seams; ours meet on whole pixels.
    viewer.drawer.minimumOverlapRequired = () => false;
    viewer.addHandler("open", () => {
      const item = viewer.world.getItemAt(0);
      item.addHandler("fully-loaded-change", ({ fullyLoaded }) => fullyLoaded && this.noteLoaded(view));
      this.apply(view);
      if (item.getFullyLoaded()) this.noteLoaded(view);
    });
    viewer.addHandler("open-failed", () => this.events.onFault?.(view.label));
    viewer.addHandler("tile-load-failed", () => this.events.onFault?.(view.label));
    for (const change of ["zoom", "pan"]) viewer.addHandler(change, () => this.follow(view));
    viewer.addHandler("resize", () => requestAnimationFrame(() => this.refresh()));
    return viewer;
  }

  noteLoaded(view) {
    view.isLoaded = true;
    if (this.isShown || !this.visible().every((each) => each.isLoaded)) return;
    this.isShown = true;
    this.events.onShown();
  }

  // ---- Which pictures, and where

  visible() {
    if (this.front) return [this.held ?? this.front];
    return this.large.size ? this.views.filter((view) => this.large.has(view)) : this.views;
  }

  viewOf(label) {
    return this.views.find((view) => view.label === label);
  }

  setCurrent(view) {
    if (!view || this.front) return;
    if (this.current !== view) this.previous = this.current;
    this.current = view;
    for (const each of this.views) each.figure.classList.toggle("is-current", each === view);
    this.events.onCurrent(view.label);
  }

  // Go to a picture by its label: in the grid it gets the focus, on the full wall it comes to the front.
  go(label) {
    const view = this.viewOf(label);
    if (!view) return;
    if (this.front) {
      this.previous = this.front;
      this.front = this.current = view;
      this.events.onCurrent(view.label);
      return this.layOut();
    }
    if (view.figure.hidden) this.addLarge(view);
    view.button.focus({ preventScroll: true });
  }

  // Let one picture fill the wall at 1:1; again: back to the grid.
  fill(view = this.current) {
    if (this.front) {
      this.front = null;
      this.layOut();
      this.current.button.focus();
      return;
    }
    this.front = this.current = view;
    this.layOut();
    if (this.view.isFit) this.zoomTo(1);
  }

  // Put a candidate among the large ones; the last one makes room.
  addLarge(view) {
    if (this.large.size >= MOST_LARGE) this.large.delete([...this.large].at(-1));
    this.large.add(view);
    this.layOut();
  }

  // Put a candidate among the large ones; the first one brings the input with it.
  promote(view = this.current) {
    if (this.front) return;
    if (this.large.has(view)) this.large.delete(view);
    else if (this.large.size < MOST_LARGE) this.large.add(view);
    else return;
    if (this.large.size === 1 && this.large.has(view) && view !== this.views[0]) this.large.add(this.views[0]);
    else if (this.large.size === 1 && this.large.has(this.views[0])) this.large.clear();
    this.layOut();
    if (this.large.size && this.view.isFit) this.zoomTo(1);
    if (!this.large.size) this.fit();
  }

  // While a key is held another picture stands in the place of this one.
  hold(view) {
    if (!view || this.held === view) return;
    this.heldGrid = !this.front;
    if (this.heldGrid) this.front = this.current;
    this.held = view;
    this.layOut();
  }

  release() {
    if (!this.held) return;
    this.held = null;
    if (this.heldGrid) this.front = null;
    this.layOut();
  }

  layOut() {
    if (!this.trial) return;
    const visible = this.visible();
    this.root.classList.toggle("is-stacked", Boolean(this.front));
    const ready = this.readyViews(visible);
    for (const view of this.views) {
      view.figure.hidden = !ready.has(view);
      view.figure.classList.toggle("is-front", visible.includes(view));
    }
    const count = this.front ? 1 : visible.length;
    const columns = this.front ? 1 : this.bestColumns(count);
    this.root.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    this.root.style.gridTemplateRows = `repeat(${Math.ceil(count / columns)}, minmax(0, 1fr))`;
    this.fitCanvases(this.views.filter((view) => !view.figure.hidden));
    this.refresh();
  }

  // Behind a picture that fills the wall those wait, drawn, that a held key may bring to the front: a full screen of every
  // candidate would be too much memory. Who leaves them gives their tiles back.
  readyViews(visible) {
    const ready = new Set(this.front ? [...visible, this.front, this.previous ?? this.views[0], this.views[0]] : visible);
    if (this.front) {
      for (const view of this.wereReady ?? []) if (!ready.has(view)) view.viewer.world.getItemAt(0)?.reset();
    }
    this.wereReady = this.front ? ready : null;
    return ready;
  }

  // Canvases begin on a device pixel and are a whole number of them large, or the browser would resample them; and they
  // are all of one size, so that each shows the very same pixels.
  fitCanvases(views) {
    const ratio = window.devicePixelRatio;
    const rooms = views.map(({ figure }) => {
      const { left, top } = figure.getBoundingClientRect();
      const [x, y] = [left + figure.clientLeft, top + figure.clientTop].map((at) => wholePlace(at, ratio) - at);
      return { x, y, width: figure.clientWidth - x, height: figure.clientHeight - y };
    });
    const least = (side) => `${wholeLength(Math.min(...rooms.map((each) => each[side])), ratio)}px`;
    const size = { width: least("width"), height: least("height") };
    views.forEach(({ canvas }, place) => Object.assign(canvas.style, { left: `${rooms[place].x}px`, top: `${rooms[place].y}px`, ...size }));
  }

  // As many columns as make the pictures largest.
  bestColumns(count) {
    const { clientWidth, clientHeight } = this.root;
    const aspect = this.trial.image.width / this.trial.image.height;
    let best = [1, 0];
    for (let columns = 1; columns <= count; columns += 1) {
      const width = Math.min(clientWidth / columns, (aspect * clientHeight) / Math.ceil(count / columns));
      if (width > best[1]) best = [columns, width];
    }
    return best[0];
  }

  refresh() {
    if (!this.view) return;
    if (this.view.isFit) this.fit();
    else for (const view of this.views) this.apply(view);
  }

  // ---- One view for all

  follow(view) {
    const { viewport } = view.viewer;
    if (this.isFollowing || !viewport || !this.view || !view.box?.equals(viewport.getContainerSize())) return; // a resize
    const { x, y } = viewport.getCenter(true);
    const pixel = 1 / (this.view.zoom * this.width);
    if (Math.max(Math.abs(x - this.view.x), Math.abs(y - this.view.y)) < pixel) return;
    this.setView({ x, y, zoom: this.view.zoom, isFit: false });
  }

  setView(view) {
    this.view = view;
    for (const each of this.views) this.apply(each);
    this.events.onZoom(sayZoom(view.zoom));
  }

  apply(view) {
    if (!this.view || view.figure.hidden || !view.viewer.world.getItemAt(0)) return;
    const { viewport, drawer } = view.viewer;
    const { x, y, zoom } = this.view;
    view.box = viewport.getContainerSize();
    if (!view.box.x) return;
    this.isFollowing = true; // what is set here is no move of the judge's
    viewport.zoomTo((zoom * this.width) / (view.box.x * window.devicePixelRatio), null, true);
    viewport.panTo(new window.OpenSeadragon.Point(x, y), true);
    if (!this.view.isFit || zoom >= 1) align(viewport);
    this.isFollowing = false;
    // Between two levels the picture is reduced smoothly; else every pixel stands as it is.
    drawer.setImageSmoothingEnabled(this.view.isFit && zoom < 1 && !stepAt(zoom));
  }

  fit() {
    const shown = this.visible()[0];
    if (!shown) return;
    const ratio = window.devicePixelRatio;
    const { width, height } = this.trial.image;
    const across = (shown.figure.clientWidth * ratio) / width;
    const down = (shown.figure.clientHeight * ratio) / height;
    const zoom = Math.min(across, down);
    this.setView({ x: 0.5, y: height / width / 2, zoom: zoom >= 1 ? Math.floor(zoom) : zoom, isFit: true });
  }

  // Zoom about a point of the image (in its widths), which stays where it is; about the centre if none is given.
  zoomTo(zoom, about = this.view) {
    if (!this.view) return;
    const share = this.view.zoom / zoom;
    const at = (key) => about[key] + (this.view[key] - about[key]) * share;
    this.setView({ x: at("x"), y: at("y"), zoom, isFit: false });
  }

  zoomStep(isUp, about) {
    if (!this.view) return;
    const next = nextStep(this.view.zoom, isUp);
    if (next) this.zoomTo(next, about);
  }

  panBy(x, y) {
    if (!this.view) return;
    const unit = PAN_PX / (this.view.zoom * this.width);
    this.setView({ ...this.view, x: this.view.x + x * unit, y: this.view.y + y * unit, isFit: false });
  }

  onWheel(event, view) {
    event.stopPropagation();
    event.preventDefault();
    this.turned = (this.turned ?? 0) + event.deltaY * (event.deltaMode ? 40 : 1);
    if (Math.abs(this.turned) < 40) return;
    this.zoomStep(this.turned < 0, this.pointOf(view, event));
    this.turned = 0;
  }

  pointOf(view, event) {
    const box = view.canvas.getBoundingClientRect();
    const pixel = new window.OpenSeadragon.Point(event.clientX - box.left, event.clientY - box.top);
    return view.viewer.viewport.pointFromPixel(pixel, true);
  }

  // ---- Regions, in pixels of the candidates

  mark(isOn) {
    this.isMarking = isOn;
    this.root.classList.toggle("is-marking", isOn);
    for (const view of this.views) view.viewer.setMouseNavEnabled(!isOn);
  }

  startMark(event, view) {
    if (!this.isMarking || event.button) return;
    const ends = (from, to) => this.giveRegion(view, from, to);
    followDrag(event, (each) => this.pointOf(view, each), ends);
  }

  // Mark all that is in view of a picture: what the keyboard can do.
  markView(view = this.front ?? this.current) {
    const bounds = view.viewer.viewport.getBounds(true);
    this.giveRegion(view, bounds.getTopLeft(), bounds.getBottomRight());
  }

  giveRegion(view, from, to) {
    const region = span(from, to, this.trial.image);
    if (region) this.events.onRegion({ label: view.place ? view.label : "input", ...region });
  }

  showRegions(regions) {
    for (const view of this.views) view.viewer.clearOverlays();
    for (const { label, x, y, width, height } of regions) {
      const view = label === "input" ? this.views[0] : this.viewOf(label);
      view?.viewer.addOverlay({
        element: make("div", { className: "mark" }),
        location: new window.OpenSeadragon.Rect(x / this.width, y / this.width, width / this.width, height / this.width),
      });
    }
  }

  showPicks(valueOf, words) {
    for (const view of this.views.slice(1)) {
      const value = valueOf(view.label);
      view.figure.classList.toggle("is-picked", value > 0);
      view.button.textContent = value ? `${view.label} · ${words(value)}` : view.label;
      view.button.setAttribute("aria-pressed", String(value > 0));
    }
  }
}
