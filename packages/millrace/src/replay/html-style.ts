/** Of the page of a replay: light and dark, narrow and wide, on paper without colours that carry meaning. */
export const HTML_STYLE = `
:root { --text: #1b1f24; --muted: #5b6570; --line: #d9dee3; --back: #ffffff; --logged: #8b98a5; --candidate: #1f6feb; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e9ec; --muted: #9aa5b1; --line: #343b43; --back: #14181d; --logged: #71808e; --candidate: #58a6ff; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
h3 { font-size: .95rem; font-weight: 600; margin: 0 0 .25rem; }
.lead, .note { color: var(--muted); margin: .25rem 0; }
.note { font-size: .85rem; }
.verdict { display: flex; gap: 1.5rem; align-items: center; border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.25rem; margin: 1.25rem 0; }
.verdict > div { flex: 1; min-width: 0; }
.verdict p { margin: 0; }
.share { font-size: 2.25rem; font-weight: 650; white-space: nowrap; font-variant-numeric: tabular-nums; }
.track { position: relative; height: 10px; margin-top: .6rem; border-radius: 5px; background: var(--line); overflow: hidden; }
.track i { position: absolute; top: 0; bottom: 0; }
.interval { background: var(--candidate); opacity: .45; }
.mark { width: 3px; margin-left: -3px; background: var(--candidate); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--muted); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
ul { margin: 0; padding-left: 1.2rem; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); font-weight: 400; vertical-align: middle; }
thead th { color: var(--muted); font-size: .85rem; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.bars { width: 22%; min-width: 5rem; }
.bar { display: block; height: 10px; min-width: 2px; border-radius: 2px; background: var(--candidate); }
.bar.logged { background: var(--logged); }
code { font: .85em/1.4 ui-monospace, monospace; }
article { border-top: 1px solid var(--line); padding: .6rem 0; break-inside: avoid; }
@media (max-width: 40rem) { .verdict { flex-direction: column; align-items: flex-start; } .bars { display: none; } }
@media print {
  :root { --text: #000000; --muted: #444444; --line: #bbbbbb; --back: #ffffff; --logged: #999999; --candidate: #333333; }
  main { max-width: none; padding: 0; }
  * { print-color-adjust: exact; }
  h2 { break-after: avoid; }
  tr { break-inside: avoid; }
}
`;
