"use strict";
/* Input and reference of a pair lie on one another; they alternate twice a second, under the three flashes of WCAG 2.3.1. */
(() => {
  const PERIOD_MS = 500;

  class Pair {
    constructor(article) {
      const find = (selector) => article.querySelector(selector);
      this.article = article;
      this.frame = find(".frame");
      this.pictures = article.querySelectorAll(".frame img");
      this.now = find(".now");
      this.buttons = { flicker: find("[data-do=flicker]"), mask: find("[data-do=mask]") };
      this.size = [Number(article.dataset.width), Number(article.dataset.height)];
      this.isFlickering = false;
      this.isSeen = true;
      this.zoom = 1;
      this.frame.tabIndex = 0;
      this.draw();
      this.show(false);
      article.addEventListener("click", (event) => {
        const button = event.target.closest("button");
        if (button) this.act(button.dataset.do);
      });
    }

    draw() { // whole screen pixels for each pixel
      for (const picture of this.pictures) {
        picture.style.width = `${(this.size[0] * this.zoom) / devicePixelRatio}px`;
        picture.style.height = `${(this.size[1] * this.zoom) / devicePixelRatio}px`;
      }
    }

    show(isReference) {
      this.frame.classList.toggle("at-reference", isReference);
      this.now.textContent = isReference ? "reference" : "input";
    }

    flicker(isOn) {
      this.isFlickering = isOn;
      this.buttons.flicker.setAttribute("aria-pressed", String(isOn));
    }

    mask(isOn) {
      this.frame.classList.toggle("with-mask", isOn);
      this.buttons.mask.setAttribute("aria-pressed", String(isOn));
    }

    act(name) {
      if (name === "flicker") this.flicker(!this.isFlickering);
      if (name === "mask") this.mask(!this.frame.classList.contains("with-mask"));
      if (name === "input" || name === "reference") {
        this.flicker(false);
        this.show(name === "reference");
      }
    }
  }

  document.documentElement.classList.add("live");
  const pairs = [...document.querySelectorAll(".pair")].map((article) => new Pair(article));
  if (!pairs.length) return;
  const all = { flicker: document.querySelector(".all [data-do=flicker]"), masks: document.querySelector(".all [data-do=masks]") };

  const flickerAll = (isOn) => {
    for (const pair of pairs) pair.flicker(isOn);
    all.flicker.setAttribute("aria-pressed", String(isOn));
  };
  const maskAll = (isOn) => {
    for (const pair of pairs) pair.mask(isOn);
    all.masks.setAttribute("aria-pressed", String(isOn));
  };
  const zoomAll = (zoom) => {
    for (const pair of pairs) {
      pair.zoom = zoom;
      pair.draw();
    }
  };
  const showAll = (name) => {
    flickerAll(false);
    for (const pair of pairs) pair.act(name);
  };
  const actions = {
    flicker: () => flickerAll(all.flicker.getAttribute("aria-pressed") !== "true"),
    masks: () => maskAll(all.masks.getAttribute("aria-pressed") !== "true"),
    zoom1: () => zoomAll(1), zoom2: () => zoomAll(2), zoom4: () => zoomAll(4),
    input: () => showAll("input"), reference: () => showAll("reference"),
  };
  document.querySelector(".all").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) actions[button.dataset.do]();
  });
  const KEYS = { " ": "flicker", i: "input", r: "reference", m: "masks", 1: "zoom1", 2: "zoom2", 4: "zoom4" };
  addEventListener("keydown", (event) => {
    const name = KEYS[event.key.toLowerCase()];
    if (!name || event.ctrlKey || event.metaKey || event.altKey || (event.key === " " && event.target.closest("button"))) return;
    event.preventDefault();
    actions[name]();
  });
  addEventListener("resize", () => { for (const pair of pairs) pair.draw(); }); // also a window moved to another screen

  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) pairs.find((pair) => pair.article === entry.target).isSeen = entry.isIntersecting;
  });
  for (const pair of pairs) seen.observe(pair.article);
  let isReference = false;
  setInterval(() => {
    isReference = !isReference;
    for (const pair of pairs) if (pair.isFlickering && pair.isSeen) pair.show(isReference);
  }, PERIOD_MS);
  flickerAll(!matchMedia("(prefers-reduced-motion: reduce)").matches);
})();
