// The walk of one request: every span where it lay in time, and where the time went.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Span, Trace } from "../api";
import { count, duration, when } from "../format";
import { Show, useData, useTitle } from "../parts";

interface Row { span: Span; depth: number; selfMs: number }

// Depth first, children by start; a span whose parent is missing stands with the roots, and none is shown twice.
function walk(spans: Span[]): Row[] {
  const known = new Set(spans.map((span) => span.id));
  const children = new Map<string, Span[]>();
  for (const span of spans) {
    const parent = known.has(span.parent) && span.parent !== span.id ? span.parent : "";
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const rows: Row[] = [];
  const seen = new Set<string>();
  const visit = (span: Span, depth: number): void => {
    if (seen.has(span.id)) return;
    seen.add(span.id);
    const below = children.get(span.id) ?? [];
    rows.push({ span, depth, selfMs: Math.max(0, span.end_ms - span.start_ms - covered(below, span)) });
    for (const child of below) visit(child, depth + 1);
  };
  for (const root of children.get("") ?? []) visit(root, 0);
  for (const span of spans) visit(span, 0);  // what only leads to itself
  return rows;
}

// The time in which at least one child runs.
function covered(children: Span[], parent: Span): number {
  let total = 0, end = parent.start_ms;
  for (const child of [...children].sort((a, b) => a.start_ms - b.start_ms)) {
    const from = Math.max(child.start_ms, end), to = Math.min(child.end_ms, parent.end_ms);
    if (to > from) { total += to - from; end = to; }
  }
  return total;
}

function Bar({ span, total }: { span: Span; total: number }): JSX.Element {
  const x = total > 0 ? (100 * span.start_ms) / total : 0;
  const width = total > 0 ? Math.max((100 * (span.end_ms - span.start_ms)) / total, 0.4) : 100;
  return (
    <svg class="span-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" x="0" y="4.5" width="100" height="1" />
      <rect class={span.ok ? "time" : "time failed"} x={Math.min(x, 99.6)} y="1" width={width} height="8" />
    </svg>
  );
}

function SpanRow({ row, total, open, toggle }: { row: Row; total: number; open: boolean; toggle: () => void }): JSX.Element {
  const { span } = row;
  const indent = "\u2003".repeat(Math.min(row.depth, 12));
  return (
    <>
      <tr class={open ? "open" : undefined}>
        <td class="nowrap"><button type="button" class="plain" aria-expanded={open} onClick={toggle}>{indent}<span aria-hidden="true" class="quiet">{open ? "▾ " : "▸ "}</span>{span.name}</button>{!span.ok && <span class="mark no"> ✗</span>}</td>
        <td class="wide"><Bar span={span} total={total} /></td>
        <td class="num nowrap">{duration(span.end_ms - span.start_ms)}</td>
        <td class="num nowrap quiet">{duration(row.selfMs)}</td>
      </tr>
      {open && (
        <tr class="detail"><td colSpan={4}>
          {span.message && <p class="problem">{span.message}</p>}
          <dl class="pairs"><dt>began after</dt><dd>{duration(span.start_ms)}</dd>{span.attributes.map(([key, value]) => <><dt>{key}</dt><dd class="mono wrap">{String(value)}</dd></>)}</dl>
        </td></tr>
      )}
    </>
  );
}

function Where({ rows }: { rows: Row[] }): JSX.Element {
  const byName = new Map<string, { ms: number; times: number }>();
  for (const { span, selfMs } of rows) {
    const sum = byName.get(span.name) ?? { ms: 0, times: 0 };
    byName.set(span.name, { ms: sum.ms + selfMs, times: sum.times + 1 });
  }
  const all = [...byName].sort((a, b) => b[1].ms - a[1].ms);
  const total = all.reduce((sum, [, { ms }]) => sum + ms, 0) || 1;
  return (
    <section class="card">
      <h2>Where the time went <span class="quiet small">own time, without that of spans inside</span></h2>
      <table class="shares"><tbody>{all.slice(0, 12).map(([name, { ms, times }]) => (
        <tr><th scope="row">{name}</th><td class="num strong">{((100 * ms) / total).toFixed(0)} %</td>
          <td class="bar"><svg class="share" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="track" x="0" y="3.5" width="100" height="3" /><rect class="range" x="0" y="2" width={(100 * ms) / total} height="6" /></svg></td>
          <td class="num">{duration(ms)}</td><td class="num quiet">{times > 1 ? `${times} times` : ""}</td></tr>
      ))}</tbody></table>
    </section>
  );
}

function Body({ trace }: { trace: Trace }): JSX.Element {
  const rows = walk(trace.spans);
  const total = Math.max(...trace.spans.map((span) => span.end_ms), 0);
  const [open, setOpen] = useState<Set<string>>(new Set());
  const toggle = (id: string): void => setOpen((old) => { const next = new Set(old); if (!next.delete(id)) next.add(id); return next; });
  return (
    <>
      <div class="bar-line title"><h1>{trace.input || trace.name}</h1></div>
      {trace.reply && <p class="lead">{trace.reply}</p>}
      <p class="quiet facts"><span>trace <span class="id">{trace.trace_id}</span></span><span>{when(trace.unix_ms)}</span><span>took {duration(trace.took_ms)}</span><span>{count(trace.spans.length, "span")}</span></p>
      {!trace.all && <p class="quiet small">Only the first {trace.spans.length} spans are shown.</p>}
      <section class="card">
        <div class="bar-line"><h2>The walk</h2><button type="button" onClick={() => setOpen(open.size ? new Set() : new Set(rows.map((row) => row.span.id)))}>{open.size ? "Close all" : "Open all"}</button></div>
        <div class="scroll" tabIndex={0} role="region" aria-label="Spans">
          <table class="rows spans">
            <thead><tr><th scope="col">Span</th><th scope="col" class="wide">0 to {duration(total)}</th><th scope="col" class="num">Took</th><th scope="col" class="num">Own</th></tr></thead>
            <tbody>{rows.map((row) => <SpanRow key={row.span.id} row={row} total={total} open={open.has(row.span.id)} toggle={() => toggle(row.span.id)} />)}</tbody>
          </table>
        </div>
      </section>
      <Where rows={rows} />
    </>
  );
}

export function TracePage({ id }: { id: string }): JSX.Element {
  useTitle("Trace");
  const data = useData<Trace>(`traces/${encodeURIComponent(id)}`);
  return <Show data={data}>{(trace) => <Body trace={trace} />}</Show>;
}
