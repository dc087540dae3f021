// Draws the boundaries of one level; a click on a place goes down to what lies in it.
"use strict";

const box = document.getElementById("map");
const levels = box.dataset.levels.trim().split(" ");
const where = document.getElementById("where");
const back = document.getElementById("back");
const map = L.map(box).setView([8, 123], 7);
const trail = [{ level: 0, parent: null, name: "" }];
let layer = null;

async function draw() {
  const { level, parent, name } = trail[trail.length - 1];
  const url = box.dataset.url.replace("LEVEL", levels[level]) + (parent === null ? "" : `?parent=${parent}`);
  const response = await fetch(url);
  if (!response.ok) {
    where.textContent = `${url}: ${response.status}`;
    return;
  }
  if (layer) layer.remove();
  layer = L.geoJSON(await response.json(), {
    style: { color: "#12423c", weight: 1, fillColor: "#2a9d8f", fillOpacity: 0.4 },
    onEachFeature(feature, shape) {
      shape.bindTooltip(feature.properties.name);
      if (level + 1 < levels.length) {
        shape.on("click", () => {
          trail.push({ level: level + 1, parent: feature.id, name: feature.properties.name });
          draw();
        });
      }
    },
  }).addTo(map);
  if (layer.getLayers().length) map.fitBounds(layer.getBounds());
  where.textContent = name;
  back.disabled = trail.length === 1;
}

back.addEventListener("click", () => {
  trail.pop();
  draw();
});
draw();
