// Draws the charts with Vega-Embed, and connects the page's own inputs to them. Nothing is fetched or kept.
"use strict";

const { config, specs, volumes } = JSON.parse(document.getElementById("charts").textContent);
const byId = (id) => document.getElementById(id);
const tell = (element) => element.dispatchEvent(new Event("input"));

// The legend: which targets are drawn, as the charts read it: |0|2|. Empty: all of them.
const boxes = [...document.querySelectorAll("[data-target]")];
function showTargets() {
  const ticked = boxes.filter((box) => box.checked).map((box) => box.dataset.target);
  byId("shown").value = ticked.length === boxes.length ? "" : `|${ticked.join("|")}|`;
  tell(byId("shown"));
}
boxes.forEach((box) => box.addEventListener("change", showTargets));

// The cost charts' slider says its volume in words; their checkbox has its state as its value.
const slider = byId("volume");
const grants = byId("grants");
if (slider) {
  slider.addEventListener("input", () => {
    const words = volumes[Number(slider.value)];
    slider.setAttribute("aria-valuetext", words);
    byId("volume-words").value = words;
  });
  grants.addEventListener("input", () => {
    grants.value = grants.checked ? "yes" : "no";
  });
}

// Light or dark: the system's choice until the button is pressed.
const root = document.documentElement;
const theme = byId("theme");
const isDark = () =>
  (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
function nameTheme() {
  theme.textContent = isDark() ? "Light" : "Dark";
  theme.setAttribute("aria-pressed", String(isDark()));
}
theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);
nameTheme();
theme.hidden = false;

// What is folded away is printed too.
const folded = () => [...document.querySelectorAll("details:not(.vega-embed details)")];
addEventListener("beforeprint", () => {
  folded().forEach((each) => {
    each.dataset.open = each.open;
    each.open = true;
  });
});
addEventListener("afterprint", () => {
  folded().forEach((each) => {
    each.open = each.dataset.open === "true";
  });
});

const options = {
  mode: "vega-lite",
  renderer: "svg",
  ast: true, // expressions are interpreted: the page's policy forbids to compile them
  config,
  tooltip: { theme: "custom" },
  actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
  scaleFactor: { svg: 1, png: 2 },
};
async function draw([name, spec]) {
  const place = byId(`chart-${name}`);
  await vegaEmbed(place, spec, { ...options, downloadFileName: `tripoint-${name}` });
  const title = place.closest("figure").querySelector("h3").textContent;
  place.querySelector("summary").setAttribute("aria-label", `Save the chart: ${title}`);
}
const drawn = Object.entries(specs).map(draw);
Promise.all(drawn).then(
  () => {
    root.dataset.drawn = "yes";
  },
  (error) => {
    root.dataset.drawn = "failed";
    console.error(error);
  },
);
