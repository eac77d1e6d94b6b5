"use strict";
/* Pictures are kept once in a JSON block; viewers show them at whole screen pixels and move all panels together. */
(() => {
  const LEVELS = [0.125, 0.25, 0.5, 1, 2, 3, 4, 6, 8, 12, 16];
  const PAN_STEP = 48; // screen pixels per arrow key
  const data = JSON.parse(document.getElementById("picture-data").textContent);

  for (const node of document.querySelectorAll("[data-picture]")) {
    const uri = data[node.dataset.picture];
    node.setAttribute(node.tagName === "IMG" ? "src" : "href", uri);
  }

  class Viewer {
    constructor(article) {
      this.article = article;
      this.box = article.querySelector(".viewer");
      this.size = [Number(this.box.dataset.width), Number(this.box.dataset.height)];
      this.panels = [...this.box.querySelectorAll(".panel")].map((node) => ({
        node, role: node.dataset.role, view: node.querySelector(".view"),
        image: node.querySelector("img"), label: node.querySelector(".role"),
      }));
      this.shown = this.panels.filter((panel) => panel.image);
      this.centre = this.size.map((side) => side / 2); // image pixels at the middle of each view
      this.zoom = 1; // screen pixels per image pixel
      this.isFitted = false;
      this.swap = null;
      if (!this.shown.length) return;
      const shape = Math.min(Math.max(this.size[0] / this.size[1], 0.75), 2);
      for (const panel of this.panels) panel.view.style.aspectRatio = String(shape);
      this.zoom = this.startZoom();
      this.listen();
      this.draw();
    }

    viewSize() { // in screen pixels
      const box = this.shown[0].view.getBoundingClientRect();
      return [box.width * devicePixelRatio, box.height * devicePixelRatio];
    }

    fitZoom() {
      const view = this.viewSize();
      return Math.min(view[0] / this.size[0], view[1] / this.size[1]);
    }

    startZoom() { // native pixels; a small image by the largest whole factor that shows all of it
      return Math.max(1, Math.floor(this.fitZoom()));
    }

    draw() {
      if (this.isFitted) this.zoom = this.fitZoom();
      const view = this.viewSize();
      this.centre = this.centre.map((at, axis) => {
        const half = view[axis] / this.zoom / 2; // what lies beyond the edge is never centred
        return half * 2 >= this.size[axis] ? this.size[axis] / 2 : Math.min(Math.max(at, half), this.size[axis] - half);
      });
      const [left, top] = this.centre.map((at, axis) => Math.round(view[axis] / 2 - at * this.zoom) / devicePixelRatio);
      for (const panel of this.shown) {
        const style = panel.image.style;
        style.width = `${(this.size[0] * this.zoom) / devicePixelRatio}px`;
        style.height = `${(this.size[1] * this.zoom) / devicePixelRatio}px`;
        style.left = `${left}px`;
        style.top = `${top}px`;
        style.imageRendering = this.zoom >= 1 ? "pixelated" : "auto";
      }
      this.article.querySelector(".zoom").textContent = `${Math.round(this.zoom * 100)} %`;
    }

    zoomTo(zoom, at = null) { // `at`: screen pixels from the middle of the view, which stays in place
      const bounded = Math.min(Math.max(zoom, LEVELS[0]), LEVELS[LEVELS.length - 1]);
      if (at) this.centre = this.centre.map((c, axis) => c + at[axis] / this.zoom - at[axis] / bounded);
      this.zoom = bounded;
      this.isFitted = false;
      this.draw();
    }

    step(direction, at = null) {
      const next = direction > 0
        ? LEVELS.find((level) => level > this.zoom * 1.001)
        : LEVELS.filter((level) => level < this.zoom * 0.999).pop();
      if (next) this.zoomTo(next, at);
    }

    pan(dx, dy) { // screen pixels
      this.centre = [this.centre[0] - dx / this.zoom, this.centre[1] - dy / this.zoom];
      this.draw();
    }

    toggle(role) { // swaps the restored picture and that of the role, in place
      const find = (name) => this.shown.find((panel) => panel.role === name);
      if (!find("restored") || !find(role)) return;
      this.swap = this.swap === role ? null : role;
      const source = (panel) => {
        if (panel.role === "restored" && this.swap) return find(this.swap);
        if (panel.role === this.swap) return find("restored");
        return panel;
      };
      for (const panel of this.shown) {
        const from = source(panel);
        panel.image.src = data[from.image.dataset.picture];
        panel.image.alt = panel.image.alt.replace(/^\w+/, from.role);
        panel.label.textContent = from === panel ? panel.role : `${from.role} (swapped)`;
        panel.node.classList.toggle("swapped", from !== panel);
      }
      for (const button of this.article.querySelectorAll("[aria-pressed]")) {
        button.setAttribute("aria-pressed", String(button.dataset.do === this.swap));
      }
    }

    act(name) {
      const actions = {
        in: () => this.step(1), out: () => this.step(-1), native: () => this.zoomTo(1),
        fit: () => { this.isFitted = true; this.draw(); },
        double: () => this.zoomTo(2), fourfold: () => this.zoomTo(4),
        left: () => this.pan(PAN_STEP, 0), right: () => this.pan(-PAN_STEP, 0),
        up: () => this.pan(0, PAN_STEP), down: () => this.pan(0, -PAN_STEP),
        reference: () => this.toggle("reference"), input: () => this.toggle("input"),
        leave: () => { this.setActive(false); this.box.blur(); },
      };
      actions[name]();
    }

    setActive(isActive) { this.box.classList.toggle("active", isActive); }

    listen() {
      const KEYS = {
        "+": "in", "=": "in", "-": "out", "0": "fit", "1": "native", "2": "double", "4": "fourfold", f: "reference",
        i: "input", ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", Escape: "leave",
      };
      this.box.addEventListener("keydown", (event) => {
        const name = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
        if (!name || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        this.act(name);
      });
      this.box.addEventListener("blur", () => this.setActive(false));
      const buttons = this.article.querySelector(".buttons");
      buttons.hidden = false;
      buttons.addEventListener("click", (event) => {
        const button = event.target.closest("button");
        if (button) this.act(button.dataset.do);
      });
      for (const panel of this.shown) this.listenToPointer(panel.view);
      new ResizeObserver(() => this.draw()).observe(this.shown[0].view);
    }

    listenToPointer(view) {
      let last = null;
      view.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        if (event.pointerType === "mouse" || this.box.classList.contains("active")) {
          last = [event.clientX, event.clientY];
          view.setPointerCapture(event.pointerId);
        }
      });
      view.addEventListener("pointermove", (event) => {
        if (!last) return;
        this.pan((event.clientX - last[0]) * devicePixelRatio, (event.clientY - last[1]) * devicePixelRatio);
        last = [event.clientX, event.clientY];
      });
      for (const name of ["pointerup", "pointercancel"]) view.addEventListener(name, () => { last = null; });
      view.addEventListener("click", () => { // from now on wheel and touch are the viewer's
        this.box.focus({ preventScroll: true });
        this.setActive(true);
      });
      view.addEventListener("wheel", (event) => {
        if (!this.box.classList.contains("active") && !event.ctrlKey) return;
        event.preventDefault();
        const box = view.getBoundingClientRect();
        const at = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
        this.step(-event.deltaY, at.map((value) => value * devicePixelRatio));
      }, { passive: false });
    }
  }

  const viewers = [...document.querySelectorAll(".case")].map((article) => new Viewer(article));
  const watchPixelRatio = () => { // a window moved to another screen, or the browser's own zoom
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", () => {
      for (const viewer of viewers) if (viewer.shown.length) viewer.draw();
      watchPixelRatio();
    }, { once: true });
  };
  watchPixelRatio();
})();
