// The slider of a photograph's page: the right picture covers the left one from the line on. A plain script, so that it
// runs from a disk as well.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const pictures = [...document.querySelectorAll("figure[data-file]")].map(({ dataset }) => dataset);
  if (pictures.length < 2) return;
  const [left, right, under, over, divide, line] = ["left", "right", "under", "over", "divide", "line"].map(byId);
  for (const select of [left, right]) {
    for (const [place, { name }] of pictures.entries()) select.append(new Option(name, place));
    select.addEventListener("change", show);
  }
  left.value = 0;
  right.value = 1;

  function show() {
    const [one, other] = [left, right].map((select) => pictures[select.value]);
    under.src = one.file;
    under.alt = one.name;
    over.src = other.file;
    over.alt = other.name;
    move();
  }

  function move() {
    over.style.clipPath = `inset(0 0 0 ${divide.value}%)`;
    line.style.left = `${divide.value}%`;
  }

  divide.addEventListener("input", move);
  byId("compare").hidden = false;
  show();
})();
