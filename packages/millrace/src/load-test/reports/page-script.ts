/**
 * Draws the pictures of a page: finds their data in the element `charts`, each one's place by its id, and colours in the
 * page's style. Again when the light changes, when the window does, and for paper.
 */
export const PAGE_SCRIPT = `
"use strict";
(() => {
const charts = JSON.parse(document.getElementById("charts").textContent);
const root = document.documentElement;
const FONT = "12px system-ui, sans-serif";
/** Id of a picture whose scale was changed by hand → is it logarithmic? */
const isLogById = new Map();
const drawn = new Map();

const trim = (value) => String(Number(value.toPrecision(3)));
const grouped = (value) => (value >= 1000 ? Math.round(value).toLocaleString("en-US") : trim(value));
const twoDigits = (value) => String(value).padStart(2, "0");

const FORMATS = {
  ms(value) {
    if (value === 0) return "0";
    if (value < 0.9995) return trim(value * 1000) + " µs";
    return value < 999.5 ? trim(value) + " ms" : grouped(value / 1000) + " s";
  },
  rate: (value) => (value === 0 ? "0" : grouped(value) + "/s"),
  count: (value) => grouped(value),
  percentile(value) {
    const digits = Math.max(0, Math.ceil(Math.log10(value) - 1e-9) - 2);
    return Number(((1 - 1 / value) * 100).toFixed(digits)) + " %";
  },
  seconds(value) {
    const tenths = Math.round(value * 10);
    const whole = Math.floor(tenths / 10);
    const part = tenths % 10 === 0 ? "" : "." + (tenths % 10);
    const minutes = Math.floor(whole / 60);
    if (minutes === 0) return whole + part + " s";
    if (minutes < 60) return minutes + ":" + twoDigits(whole % 60) + part;
    return Math.floor(minutes / 60) + ":" + twoDigits(minutes % 60) + ":" + twoDigits(whole % 60);
  },
};

const SECOND_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

/** Round values from min to max, at most so many. */
function linearSplits(min, max, most, unit) {
  const least = (max - min) / Math.max(1, most);
  const size = 10 ** Math.floor(Math.log10(least));
  const round = [1, 2, 5, 10].map((factor) => factor * size).find((step) => step >= least * 0.999);
  const seconds = SECOND_STEPS.find((step) => step >= least);
  const fine = unit === "seconds" && seconds !== undefined ? seconds : round;
  const step = unit === "count" ? Math.max(1, fine) : fine;
  const splits = [];
  for (let at = Math.ceil(min / step - 1e-9); at * step <= max * (1 + 1e-9) && splits.length <= 50; at++)
    splits.push(Number((at * step).toPrecision(12)));
  return splits;
}

/** Of so many requests one is slower. */
function percentileSplits(max, most) {
  const decades = [1];
  while (decades.at(-1) * 10 <= max * 1.001) decades.push(decades.at(-1) * 10);
  const finer = [[2, 20], [2]].map((some) => [...decades, ...some.filter((split) => split <= max)]);
  return (finer.find((splits) => splits.length <= most - 2) ?? decades).sort((a, b) => a - b);
}

function logSplits(min, max, most, unit) {
  if (unit === "percentile") return percentileSplits(max, most);
  const decades = (factors) => {
    const splits = [];
    for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power++)
      for (const factor of factors) {
        const split = Number((factor * 10 ** power).toPrecision(12));
        if (split >= min * 0.999 && split <= max * 1.001) splits.push(split);
      }
    return splits;
  };
  const choices = [[1, 2, 3, 5], [1, 2, 5], [1, 3], [1]];
  const fits = choices.map(decades).find((splits) => splits.length <= most) ?? decades([1]);
  return fits.length < 3 ? linearSplits(min, max, most, unit) : fits;
}

function isLog({ id, y }) {
  return isLogById.get(id) ?? (y.scale === "log" || y.scale === "log-or-linear");
}

function xScale({ x, xs }) {
  const isLogScale = x.scale === "log";
  const begin = (min) => (x.from !== undefined && min <= xs[0] ? x.from : min);
  return {
    time: false,
    distr: isLogScale ? 3 : 1,
    range: (_plot, min, max) => (min === max ? [begin(min), isLogScale ? min * 10 : min + 1] : [begin(min), max]),
  };
}

function yScale(chart) {
  const isLogScale = isLog(chart);
  return {
    distr: isLogScale ? 3 : 1,
    range(_plot, min, max) {
      if (max === null) return isLogScale ? [1, 10] : [0, 1];
      const marks = (chart.marks ?? []).filter(({ axis, at }) => axis === "y" && at <= max * 2);
      const top = Math.max(max, ...marks.map(({ at }) => at));
      if (!isLogScale) return [0, top === 0 ? 1 : top * 1.1];
      return min === top ? [min / 2, top * 2] : [min / 1.15, top * 1.3];
    },
  };
}

/** As wide as the longest of its numbers. */
function axisSize(plot, values, index, cycle) {
  const axis = plot.axes[index];
  if (cycle > 1 || values === null) return axis._size ?? 50;
  plot.ctx.save();
  plot.ctx.font = FONT;
  const widths = values.map((text) => plot.ctx.measureText(text ?? "").width);
  plot.ctx.restore();
  return Math.ceil(Math.max(30, ...widths) + axis.gap + axis.ticks.size + 4);
}

function axes(chart, color) {
  const look = {
    font: FONT,
    stroke: color("muted"),
    grid: { stroke: color("grid"), width: 1 },
    ticks: { stroke: color("grid"), width: 1, size: 5 },
    gap: 4,
    filter: (_plot, splits) => splits,
  };
  const splitsOf = ({ unit }, isLogScale, pixels) => (plot, _index, min, max) => {
    const most = Math.max(2, Math.floor(pixels(plot)));
    return (isLogScale ? logSplits : linearSplits)(min, max, most, unit);
  };
  const valuesOf = ({ unit }) => (_plot, splits) => splits.map((split) => FORMATS[unit](split));
  return [
    {
      ...look,
      splits: splitsOf(chart.x, chart.x.scale === "log", (plot) => plot.width / 60),
      values: valuesOf(chart.x),
      size: 34,
    },
    {
      ...look,
      splits: splitsOf(chart.y, isLog(chart), (plot) => plot.height / 32),
      values: valuesOf(chart.y),
      size: axisSize,
    },
  ];
}

/** Values with nothing on either side, which no line goes through. */
function alone(values) {
  return values.flatMap((value, at) => {
    const isAlone = value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null;
    return isAlone ? [at] : [];
  });
}

const SHAPES = {
  line: (stroke) => ({ stroke, width: 2 }),
  thin: (stroke) => ({ stroke, width: 1 }),
  dashed: (stroke) => ({ stroke, width: 1.5, dash: [6, 4] }),
  area: (stroke) => ({ stroke, width: 2, fill: stroke + "26" }),
  stack: (stroke) => ({ stroke, width: 1, fill: stroke + "b3", paths: uPlot.paths.stepped({ align: 1 }) }),
  points: (stroke) => ({ stroke, width: 0, paths: () => null }),
};

function seriesOf(chart, color) {
  const format = FORMATS[chart.y.unit];
  const values = ({ values: list }) => (_plot, _value, _index, at) => {
    const value = at === null || at === undefined ? null : list[at];
    return value === null || value === undefined ? "" : format(value);
  };
  return [
    { label: "", value: (_plot, value) => (value === null || value === undefined ? "" : FORMATS[chart.x.unit](value)) },
    ...chart.series.map((series) => {
      const stroke = color(series.color);
      const arePoints = series.shape === "points";
      const single = alone(series.values);
      return {
        label: series.label,
        value: values(series),
        ...SHAPES[series.shape](stroke),
        points: arePoints
          ? { show: true, size: 9, stroke, fill: stroke }
          : { show: false, filter: () => (single.length === 0 ? null : single), size: 6, stroke, fill: stroke },
      };
    }),
  ];
}

/** Columns as they are drawn, where one of a stack stands on those before it. */
function columns({ xs, series }) {
  const bands = [];
  let below;
  const data = series.map(({ shape, values }, at) => {
    if (shape !== "stack") return values;
    const under = below;
    below = values.map((value, index) => (value === null ? null : value + (under?.[index] ?? 0)));
    if (under !== undefined) bands.push({ series: [at + 1, at] });
    return below;
  });
  return { data: [xs, ...data], bands };
}

function drawMarks(chart, color) {
  const isBand = (mark) => mark.until !== undefined;
  const place = (plot, { axis, at }) => Math.round(plot.valToPos(at, axis, true));
  const clipped = (plot, paint) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    paint(ctx, bbox);
    ctx.restore();
  };
  const bands = (plot) =>
    clipped(plot, (ctx, { top, height }) => {
      for (const mark of (chart.marks ?? []).filter(isBand)) {
        const from = place(plot, mark);
        const until = place(plot, { ...mark, at: mark.until });
        ctx.fillStyle = color(mark.color) + "2b";
        ctx.fillRect(from, top, Math.max(2, until - from), height);
      }
    });
  const lines = (plot) =>
    clipped(plot, (ctx, { left, top, width, height }) => {
      const ratio = devicePixelRatio;
      ctx.font = 12 * ratio + "px system-ui, sans-serif";
      ctx.textBaseline = "alphabetic";
      ctx.lineWidth = 1.5 * ratio;
      for (const mark of (chart.marks ?? []).filter((each) => !isBand(each))) {
        const at = place(plot, mark);
        ctx.strokeStyle = ctx.fillStyle = color(mark.color);
        ctx.setLineDash([2 * ratio, 3 * ratio]);
        ctx.beginPath();
        if (mark.axis === "x") ctx.moveTo(at, top), ctx.lineTo(at, top + height);
        else ctx.moveTo(left, at), ctx.lineTo(left + width, at);
        ctx.stroke();
        const isFar = mark.axis === "y" || at > left + width / 2;
        ctx.textAlign = isFar ? "right" : "left";
        if (mark.axis === "y") ctx.fillText(mark.label, left + width - 4 * ratio, at - 5 * ratio);
        else ctx.fillText(mark.label, at + (isFar ? -6 : 6) * ratio, top + 14 * ratio);
      }
    });
  return { drawClear: [bands], draw: [lines] };
}

function draw(chart) {
  const place = document.getElementById(chart.id);
  const before = drawn.get(chart.id);
  const { min, max } = before?.scales.x ?? {};
  before?.destroy();
  const style = getComputedStyle(root);
  const color = (name) => style.getPropertyValue("--" + name).trim();
  const { data, bands } = columns(chart);
  const isTime = chart.x.unit === "seconds";
  const options = {
    width: place.clientWidth,
    height: chart.width === "whole" && innerWidth > 576 ? 280 : 220,
    scales: { x: xScale(chart), y: yScale(chart) },
    axes: axes(chart, color),
    series: seriesOf(chart, color),
    bands,
    legend: { markers: { width: 0, fill: (_plot, index) => color(chart.series[index - 1].color) } },
    cursor: isTime ? { sync: { key: "time", scales: ["x", null] } } : {},
    hooks: drawMarks(chart, color),
  };
  const plot = new uPlot(options, data, place);
  drawn.set(chart.id, plot);
  // What is looked at closer stays so.
  if (before !== undefined) plot.setScale("x", { min, max });
}

/** Between a scale on which each step is as long and one on which each step is as many times. */
function addScaleButton(chart) {
  if (!chart.y.scale.includes("-or-")) return;
  const button = document.createElement("button");
  const show = () => {
    button.textContent = isLog(chart) ? "logarithmic" : "linear";
    button.title = "Scale: " + button.textContent + ". Press to change it.";
  };
  button.type = "button";
  button.className = "scale";
  button.addEventListener("click", () => {
    isLogById.set(chart.id, !isLog(chart));
    show();
    draw(chart);
  });
  show();
  document.getElementById(chart.id).parentElement.querySelector("figcaption").append(button);
}

const drawAll = () => charts.forEach(draw);
const setPaper = (isPaper) => {
  root.classList.toggle("paper", isPaper);
  drawAll();
};
let widthBefore = innerWidth;
let resizing;
charts.forEach(addScaleButton);
drawAll();
addEventListener("resize", () => {
  if (innerWidth === widthBefore) return;
  widthBefore = innerWidth;
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(drawAll);
});
addEventListener("beforeprint", () => setPaper(true));
addEventListener("afterprint", () => setPaper(false));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
`;
