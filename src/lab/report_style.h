// The style of a report's page: one constant, so that the page is one file.
//
//     html += "<style>" + std::string(report_style) + "</style>";
#pragma once

namespace slipway::lab {

inline constexpr const char* report_style = R"css(
:root { color-scheme: light dark; --back: #ffffff; --text: #1b1f26; --quiet: #667080; --line: #e3e6eb;
  --soft: #f4f6f9; --accent: #1f5fd0; --good: #147a46; --good-soft: #e3f4ea; --bad: #b3261e;
  --bad-soft: #fbe7e5; --warn: #8a5a00; --warn-soft: #fbf1dc; }
@media (prefers-color-scheme: dark) { :root { --back: #14171c; --text: #e4e7ec; --quiet: #98a2b3;
  --line: #2b313b; --soft: #1c2129; --accent: #7aa7f7; --good: #6fce98; --good-soft: #17352a;
  --bad: #f08b84; --bad-soft: #40211f; --warn: #e6b85c; --warn-soft: #3a2e15; } }
* { box-sizing: border-box; }
body { font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  background: var(--back); color: var(--text); max-width: 860px; margin: 0 auto; padding: 2.5rem 1.5rem; }
h1 { font-size: 1.9rem; margin: 0.2rem 0; letter-spacing: -0.02em; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 0.6rem; padding-top: 1.2rem; border-top: 1px solid var(--line); }
h3 { font-size: 0.95rem; margin: 1.4rem 0 0.4rem; }
p { margin: 0.4rem 0; overflow-wrap: anywhere; }
code, .said { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; font-size: 0.88em; }
.quiet { color: var(--quiet); font-size: 0.92em; }
.strong { font-weight: 600; }
.nowrap { white-space: nowrap; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.lead { font-size: 1.05rem; }
.big { font-size: 1.8rem; font-weight: 650; letter-spacing: -0.02em; margin-right: 0.2rem; }
.alias { font-size: 0.85rem; font-weight: 500; letter-spacing: 0; background: var(--good-soft);
  color: var(--good); border-radius: 99px; padding: 0.15rem 0.7rem; vertical-align: middle; }
.verdict { border-radius: 10px; padding: 0.9rem 1.2rem; margin: 1.4rem 0; background: var(--warn-soft);
  border-left: 4px solid var(--warn); }
.verdict.pass { background: var(--good-soft); border-color: var(--good); }
.verdict.fail { background: var(--bad-soft); border-color: var(--bad); }
.verdict .said { font: inherit; font-size: 1.15rem; font-weight: 650; }
.verdict ul { margin: 0.4rem 0; padding-left: 1.2rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 500; }
thead th { color: var(--quiet); font-size: 0.88em; }
thead th.num { text-align: right; }
.shares th { padding: 0.22rem 0.8rem 0.22rem 0; }
.shares td { padding: 0.22rem 0 0.22rem 0.8rem; }
.shares td.bar { width: 38%; }
.shares .more td { padding: 0 0 0.4rem; }
.shares .more summary { color: var(--quiet); font-size: 0.85em; }
.history td, .history th, .open td, .open th { padding: 0.45rem 0.8rem 0.45rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line); }
.open td:first-child { width: 55%; }
.examples { margin: 0.3rem 0 0.6rem; padding-left: 1.1rem; }
.examples li { margin: 0.35rem 0; }
.examples .said { white-space: pre-wrap; overflow-wrap: anywhere; }
.yes { color: var(--good); }
.no { color: var(--bad); }
summary { cursor: pointer; }
.share { display: block; width: 100%; height: 12px; min-width: 4rem; }
.track { fill: var(--line); }
.range { fill: var(--accent); opacity: 0.35; }
.mark, .dot { fill: var(--accent); }
.bar { fill: var(--accent); opacity: 0.75; }
.chart { display: block; width: 100%; height: auto; margin: 0.6rem 0; }
.chart text { font-size: 12px; fill: var(--quiet); }
.grid { stroke: var(--line); }
.curve { fill: none; stroke: var(--accent); stroke-width: 1.6; }
.whisker { stroke: var(--text); stroke-width: 1.4; opacity: 0.7; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 0.8rem; }
@media print { body { max-width: none; padding: 0; } details > * { display: block; } }
)css";

}  // namespace slipway::lab
