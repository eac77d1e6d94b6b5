// Steps of zoom, in device pixels a candidate's pixel, and which level of a pyramid belongs to them. At 1:1 an image's
// pixel is a pixel of the screen; above it pixels are repeated whole; at 1:2, 1:4, ... a level is shown pixel by pixel.

const ZOOMS = [1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 3, 4, 6, 8, 12, 16];

// Give the step that a zoom is; undefined between two.
export function stepAt(zoom) {
  return ZOOMS.find((each) => Math.abs(each / zoom - 1) < 1e-6);
}

// Give the next step above or below; undefined at the end.
export function nextStep(zoom, isUp) {
  const near = 1e-3;
  return isUp ? ZOOMS.find((each) => each > zoom * (1 + near)) : ZOOMS.findLast((each) => each < zoom * (1 - near));
}

// Say a zoom in words.
export function sayZoom(zoom) {
  const step = stepAt(zoom);
  if (!step) return `whole, ${(100 * zoom).toFixed(1)} %, reduced`;
  return step >= 1 ? `${step}:1` : `1:${Math.round(1 / step)}`;
}

// Give a pyramid as OpenSeadragon counts: its highest level is the full size, our level 0.
export function tileSource({ tiles, width, height, levels }, tile) {
  const most = levels.length - 1;
  return {
    width, height, tileSize: tile, minLevel: 0, maxLevel: most,
    getTileUrl: (level, column, row) => `${tiles}/${most - level}/${column}_${row}.png`,
  };
}

// Give the addresses of all tiles of the level that shows the whole picture at `needed` pixels along its longer side.
export function tilesOfWhole({ tiles, levels }, tile, needed) {
  const level = Math.max(levels.findLastIndex(({ width, height }) => Math.max(width, height) >= needed), 0);
  const { width, height } = levels[level];
  const found = [];
  for (let row = 0; row * tile < height; row += 1) {
    for (let column = 0; column * tile < width; column += 1) found.push(`${tiles}/${level}/${column}_${row}.png`);
  }
  return found;
}
