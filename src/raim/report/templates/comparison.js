"use strict";
/* Each pair is shown at whole screen pixels; the line lies in the frame, the pictures move under it. */
(() => {
  const LEVELS = [0.125, 0.25, 0.5, 1, 2, 3, 4, 6, 8, 12, 16];
  const PAN_STEP = 48; // screen pixels per arrow key
  const TALLEST = 0.78; // of the window

  class Pair {
    constructor(article) {
      const find = (selector) => article.querySelector(selector);
      this.frame = find(".frame");
      this.marks = find(".marks"); // over after, and clear but where it marks; null where there is nothing to mark
      this.marker = find("[data-do=mark]");
      this.images = [find(".before"), find(".after"), this.marks].filter(Boolean);
      this.over = find(".over");
      this.line = find(".line");
      this.labels = [find(".left"), find(".right")];
      this.range = find("input");
      this.output = find(".zoom");
      this.controls = find(".controls");
      this.size = [Number(article.dataset.width), Number(article.dataset.height)];
      this.centre = this.size.map((side) => side / 2); // image pixels in the middle of the frame
      this.isFitted = false;
      article.classList.add("live");
      this.frame.tabIndex = 0;
      this.frame.setAttribute("aria-label", `${this.frame.getAttribute("aria-label")}; move with the arrow keys`);
      this.controls.hidden = false;
      this.zoom = this.startZoom();
      this.listen();
      this.draw();
    }

    room() { // the largest frame, in screen pixels
      const parent = this.frame.parentElement;
      const style = getComputedStyle(parent);
      const width = parent.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      return [Math.floor(width * devicePixelRatio), Math.floor(innerHeight * TALLEST * devicePixelRatio)];
    }

    fitZoom() {
      const room = this.room();
      return Math.min(room[0] / this.size[0], room[1] / this.size[1]);
    }

    startZoom() { // native pixels; a small picture by the largest whole factor that shows all of it
      return Math.min(8, Math.max(1, Math.floor(this.fitZoom())));
    }

    draw() {
      if (this.isFitted) this.zoom = this.fitZoom();
      const room = this.room();
      this.view = this.size.map((side, axis) => Math.min(room[axis], Math.max(1, Math.round(side * this.zoom))));
      this.centre = this.centre.map((at, axis) => {
        const half = this.view[axis] / this.zoom / 2; // what lies beyond the edge is never centred
        return half * 2 >= this.size[axis] ? this.size[axis] / 2 : Math.min(Math.max(at, half), this.size[axis] - half);
      });
      const css = (pixels) => `${pixels / devicePixelRatio}px`;
      const [left, top] = this.centre.map((at, axis) => Math.round(this.view[axis] / 2 - at * this.zoom));
      this.frame.style.width = css(this.view[0]);
      this.frame.style.height = css(this.view[1]);
      this.controls.style.width = `max(${css(this.view[0])}, min(100%, 30rem))`; // the slider as long as the line's way
      // A centred frame may begin between two screen pixels; it is moved to the nearest.
      this.frame.style.transform = "";
      const start = this.frame.getBoundingClientRect().left * devicePixelRatio;
      const shift = Math.round(start) - start;
      if (Math.abs(shift) > 0.001) this.frame.style.transform = `translateX(${css(shift)})`;
      for (const image of this.images) {
        image.style.width = css(this.size[0] * this.zoom);
        image.style.height = css(this.size[1] * this.zoom);
        image.style.left = css(left);
        image.style.top = css(top);
        image.style.imageRendering = this.zoom >= 1 ? "pixelated" : "auto";
      }
      const isMovable = this.size.some((side, axis) => Math.round(side * this.zoom) > this.view[axis]);
      this.frame.classList.toggle("movable", isMovable);
      this.output.textContent = `${Math.round(this.zoom * 100)} %`;
      this.split();
    }

    split() { // the line, at whole screen pixels
      const at = Math.round((Number(this.range.value) / 100) * this.view[0]) / devicePixelRatio;
      this.over.style.clipPath = `inset(0 0 0 ${at}px)`;
      this.line.style.left = `${at}px`;
      const width = this.view[0] / devicePixelRatio;
      this.labels[0].classList.toggle("covered", at < this.labels[0].offsetWidth + 12);
      this.labels[1].classList.toggle("covered", width - at < this.labels[1].offsetWidth + 12);
      this.range.setAttribute("aria-valuetext", `${Math.round(Number(this.range.value))} % before`);
    }

    splitAt(value) {
      this.range.value = String(value);
      this.split();
    }

    zoomTo(zoom, at = [0, 0]) { // `at`: screen pixels from the middle of the frame, which stays in place
      const bounded = Math.min(Math.max(zoom, LEVELS[0]), LEVELS[LEVELS.length - 1]);
      this.centre = this.centre.map((c, axis) => c + at[axis] / this.zoom - at[axis] / bounded);
      this.zoom = bounded;
      this.isFitted = false;
      this.draw();
    }

    step(direction, at) {
      const next = direction > 0
        ? LEVELS.find((level) => level > this.zoom * 1.001)
        : LEVELS.filter((level) => level < this.zoom * 0.999).pop();
      if (next) this.zoomTo(next, at);
    }

    pan(dx, dy) { // screen pixels
      this.centre = [this.centre[0] - dx / this.zoom, this.centre[1] - dy / this.zoom];
      this.draw();
    }

    mark() {
      if (!this.marks) return;
      this.marks.hidden = !this.marks.hidden;
      this.marker.setAttribute("aria-pressed", String(!this.marks.hidden));
    }

    act(name) {
      const actions = {
        in: () => this.step(1), out: () => this.step(-1), native: () => this.zoomTo(1),
        double: () => this.zoomTo(2), fourfold: () => this.zoomTo(4),
        fit: () => { this.isFitted = true; this.draw(); },
        mark: () => this.mark(),
        before: () => this.splitAt(100), after: () => this.splitAt(0),
        left: () => this.pan(PAN_STEP, 0), right: () => this.pan(-PAN_STEP, 0),
        up: () => this.pan(0, PAN_STEP), down: () => this.pan(0, -PAN_STEP),
        leave: () => { this.frame.classList.remove("active"); this.frame.blur(); },
      };
      actions[name]();
    }

    listen() {
      const KEYS = {
        "+": "in", "=": "in", "-": "out", "0": "fit", "1": "native", "2": "double", "4": "fourfold", b: "before", a: "after", m: "mark",
      };
      const ARROWS = {
        ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", Escape: "leave",
      };
      const onKey = (keys) => (event) => {
        const name = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
        if (!name || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        this.act(name);
      };
      this.range.addEventListener("input", () => this.split());
      this.range.addEventListener("keydown", onKey(KEYS)); // arrow keys are the slider's own
      this.frame.addEventListener("keydown", onKey({ ...KEYS, ...ARROWS }));
      this.frame.addEventListener("blur", () => this.frame.classList.remove("active"));
      this.controls.addEventListener("click", (event) => {
        const button = event.target.closest("button");
        if (button) this.act(button.dataset.do);
      });
      this.listenToLine();
      this.listenToFrame();
    }

    listenToLine() {
      let isHeld = false;
      this.line.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        event.stopPropagation();
        event.preventDefault();
        isHeld = true;
        this.line.setPointerCapture(event.pointerId);
        this.range.focus({ preventScroll: true });
      });
      this.line.addEventListener("pointermove", (event) => {
        if (!isHeld) return;
        const box = this.frame.getBoundingClientRect();
        this.splitAt(Math.min(100, Math.max(0, ((event.clientX - box.left) / box.width) * 100)));
      });
      for (const name of ["pointerup", "pointercancel"]) this.line.addEventListener(name, () => { isHeld = false; });
      this.line.addEventListener("click", (event) => event.stopPropagation());
    }

    listenToFrame() {
      let last = null;
      this.frame.addEventListener("pointerdown", (event) => {
        const isMine = event.pointerType === "mouse" || this.frame.classList.contains("active");
        if (event.button !== 0 || !isMine) return;
        last = [event.clientX, event.clientY];
        this.frame.setPointerCapture(event.pointerId);
        this.frame.classList.add("moving");
      });
      this.frame.addEventListener("pointermove", (event) => {
        if (!last) return;
        this.pan((event.clientX - last[0]) * devicePixelRatio, (event.clientY - last[1]) * devicePixelRatio);
        last = [event.clientX, event.clientY];
      });
      for (const name of ["pointerup", "pointercancel"]) {
        this.frame.addEventListener(name, () => { last = null; this.frame.classList.remove("moving"); });
      }
      this.frame.addEventListener("click", () => { // from now on wheel and touch move the picture
        this.frame.focus({ preventScroll: true });
        this.frame.classList.add("active");
      });
      this.frame.addEventListener("wheel", (event) => {
        if (!this.frame.classList.contains("active") && !event.ctrlKey) return;
        event.preventDefault();
        const box = this.frame.getBoundingClientRect();
        const at = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
        this.step(-event.deltaY, at.map((value) => value * devicePixelRatio));
      }, { passive: false });
    }
  }

  document.documentElement.classList.add("live");
  const pairs = [...document.querySelectorAll(".pair")].map((article) => new Pair(article));
  const drawAll = () => { for (const pair of pairs) pair.draw(); };
  addEventListener("resize", drawAll); // also a window moved to another screen, and the browser's own zoom
})();
