const LIGHT = `--text: #1b1f24; --muted: #57606a; --line: #d9dee3; --grid: #eceff2; --back: #ffffff; --card: #f6f8fa;
--good: #1a7f4b; --bad: #c9252d; --warn: #8f5d00; --good-back: #e9f6ef; --bad-back: #fdeced; --warn-back: #fdf4e0;
--p50: #1a9a94; --p90: #1f6feb; --p99: #7a33c9; --max: #8b98a5; --rate: #1f6feb; --due: #57606a; --lag: #b3600b;
--code-2: #2b9a66; --code-3: #6574d6; --code-4: #dd9a2c; --code-5: #d13c3c; --code-0: #57606a; --dropped: #1b1f24;
--code-2-dim: #8fd0b0; --code-3-dim: #adb5ee; --code-4-dim: #f0cf94; --code-5-dim: #eb9a9a; --code-0-dim: #a9b2bb;`;

const DARK = `--text: #e6e9ec; --muted: #9aa5b1; --line: #343b43; --grid: #242b32; --back: #14181d; --card: #1b2027;
--good: #4cc38a; --bad: #ff7b7f; --warn: #e6b450; --good-back: #14291f; --bad-back: #33191c; --warn-back: #2e2614;
--p50: #3fc1b8; --p90: #58a6ff; --p99: #c38fff; --max: #71808e; --rate: #58a6ff; --due: #9aa5b1; --lag: #f0a050;
--code-2: #3fb27f; --code-3: #8c9bff; --code-4: #e6b450; --code-5: #f06a6a; --code-0: #9aa5b1; --dropped: #e6e9ec;
--code-2-dim: #23694b; --code-3-dim: #535c9c; --code-4-dim: #8a6c30; --code-5-dim: #914343; --code-0-dim: #5b6570;`;

/** Of the pages of load tests: light and dark, narrow and wide. On paper (`.paper`, too, is set by the script) light. */
export const PAGE_STYLE = `
:root { ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
:root.paper { ${LIGHT} color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.75rem 1.25rem 4rem; }
.paper main { max-width: 44rem; padding: 0; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h1, .lead { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: .95rem; font-weight: 600; margin: 0; }
.lead, .note { color: var(--muted); margin: .25rem 0; overflow-wrap: anywhere; }
.note { font-size: .85rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.banner { border: 1px solid var(--warn); border-left-width: 6px; border-radius: 8px; background: var(--warn-back); padding: .75rem 1.1rem; margin: 1rem 0 0; }
.banner p { margin: 0; } .banner li, .banner p { overflow-wrap: anywhere; } .banner ul { margin: .35rem 0 0; }
.cards { display: grid; grid-template-columns: repeat(3, 1fr); gap: 1rem; margin: 1.1rem 0; }
.card { border: 1px solid var(--line); border-top-width: 5px; border-radius: 8px; padding: .8rem 1.1rem 1rem; min-width: 0; break-inside: avoid; overflow-wrap: anywhere; }
.card.is-good { border-top-color: var(--good); } .card.is-bad { border-top-color: var(--bad); }
.card.is-warn { border-top-color: var(--warn); } .card.is-plain { border-top-color: var(--p99); }
.card h2 { margin: 0; font-size: .95rem; font-weight: 500; color: var(--muted); }
.card .answer { margin: 0 0 .3rem; font-size: 2.4rem; line-height: 1.25; font-weight: 650; font-variant-numeric: tabular-nums; white-space: nowrap; }
.card .answer small { font-size: 1rem; font-weight: 500; color: var(--muted); }
.card p { margin: .25rem 0 0; } .card ul { list-style: none; padding: 0; margin: .25rem 0 0; }
.card li { display: flex; gap: .5rem; overflow-wrap: anywhere; } .card li span { flex: 1; min-width: 0; }
.card li b { font-weight: 600; max-width: 65%; text-align: right; font-variant-numeric: tabular-nums; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); gap: .75rem 1rem; margin: 0; padding: .8rem 1.1rem; border-radius: 8px; background: var(--card); }
.figures div { min-width: 0; }
.figures dt { font-size: .85rem; } .figures dd { font-size: 1.15rem; font-weight: 600; font-variant-numeric: tabular-nums; } .figures dd.note { font-size: .85rem; font-weight: 400; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--muted); } dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
ul { margin: 0; padding-left: 1.2rem; }
.charts { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 1.5rem 1.5rem; margin-top: 1.5rem; }
.chart { margin: 0; min-width: 0; break-inside: avoid; } .chart.whole, .charts .note.whole { grid-column: 1 / -1; } .chart.half { grid-column: span 3; } .chart.third { grid-column: span 2; }
.chart figcaption { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; min-height: 1.9rem; }
.plot { position: relative; min-height: 15rem; } .whole .plot { min-height: 19rem; }
.scale { font: inherit; font-size: .8rem; color: var(--muted); background: none; border: 1px solid var(--line); border-radius: 5px; padding: .05rem .55rem; cursor: pointer; white-space: nowrap; }
.scale:hover, .scale:focus-visible { color: var(--text); border-color: var(--muted); }
.uplot { font-family: inherit; } .u-legend { font-size: .8rem; color: var(--muted); margin: 0; text-align: left; min-height: 1.7rem; }
.u-legend tr:first-child th { display: none; } .u-legend .u-label { overflow-wrap: anywhere; white-space: normal; } .u-inline.u-live th::after { content: none; }
.u-legend .u-value { text-align: left; font-variant-numeric: tabular-nums; color: var(--text); white-space: nowrap; }
.u-legend th { font-weight: 500; } .u-legend .u-marker { border-radius: 2px; width: .8em; height: .8em; }
.u-legend td, .u-legend th, .u-legend tr { border: 0; padding: 2px 4px 2px 0; } .u-inline tr { margin-right: 10px; }
.u-select { background: var(--p90); opacity: .15; } .u-hz .u-cursor-x, .u-hz .u-cursor-y { border-color: var(--muted); }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
.data th, .data td { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); font-weight: 400; vertical-align: top; }
.data thead th { color: var(--muted); font-size: .85rem; white-space: nowrap; }
.data .number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.data tbody th { white-space: nowrap; } .data .number + :not(.number) { padding-left: .75rem; white-space: nowrap; }
.data .head { font-weight: 600; } .data .text { overflow-wrap: anywhere; min-width: 12rem; }
.share { min-width: 6rem; width: 30%; vertical-align: middle; }
.bar { display: block; height: 10px; min-width: 2px; border-radius: 2px; margin-top: .4rem; }
.lines { margin: 0; padding: .7rem .9rem; border-radius: 8px; background: var(--card); overflow-x: auto; }
code, pre { font: .85em/1.45 ui-monospace, monospace; } code { overflow-wrap: anywhere; }
details { margin-top: .5rem; } summary { cursor: pointer; color: var(--muted); }
@media (max-width: 52rem) { .cards, .charts { grid-template-columns: minmax(0, 1fr); } .chart.half, .chart.third { grid-column: 1; } }
@media (max-width: 36rem) {
  main { padding: 1.1rem .9rem 3rem; } .cards { gap: .7rem; } .card { padding: .55rem .9rem .75rem; } .card .answer { font-size: 2rem; }
  .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); } dl.facts { grid-template-columns: minmax(0, 1fr); gap: 0; } dl.facts dd { margin-bottom: .5rem; }
  .share { display: none; }
}
@media print {
  :root { ${LIGHT} color-scheme: light; }
  * { print-color-adjust: exact; }
  .scale, .screen { display: none; } h2 { break-after: avoid; } tr { break-inside: avoid; }
  .paper .cards { grid-template-columns: repeat(3, 1fr); gap: .6rem; } .paper .card { padding: .5rem .7rem; } .paper .card .answer { font-size: 1.6rem; }
  .paper .charts { grid-template-columns: repeat(6, minmax(0, 1fr)); } .paper .chart.half { grid-column: span 3; } .paper .chart.third { grid-column: span 2; }
  body { font-size: 12px; }
}
`;
