// One run: curves that grow while it runs, figures with their intervals, cases with the failures first, its parts.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Cases, Curves, Report, Run, RunLine, Traces } from "../api";
import { CurveChart } from "../curves";
import { count, duration, figure, percent, shortId, when } from "../format";
import { Kind, Pager, Pairs, RunLink, Search, ShareBar, ShareRow, Show, Status, took, useData, useTitle, WordDiff } from "../parts";
import { change, type Place } from "../route";

const liveMs = 2000;
const first = ["loss", "epoch_loss", "dev_exact_match", "exact_match"];

function CurvesBlock({ run }: { run: Run }): JSX.Element {
  const data = useData<Curves>(`runs/${run.id}/curves`, run.status === "running" ? liveMs : 0);
  const place = (key: string): number => (first.includes(key) ? first.indexOf(key) : first.length);
  return (
    <Show data={data}>
      {({ curves }) => curves.length > 0 && (
        <section aria-label="Curves" class="curves">
          {[...curves].sort((a, b) => place(a.key) - place(b.key) || a.key.localeCompare(b.key)).map((curve) => <CurveChart key={curve.key} curve={curve} />)}
        </section>
      )}
    </Show>
  );
}

function ReportBlock({ report }: { report: Report }): JSX.Element {
  const calls = report.calls;
  return (
    <section class="split">
      <div class="card">
        <h2>Figures <span class="quiet small">with 95 % intervals</span></h2>
        <table class="shares">
          <tbody>
            <ShareRow name="exact match" p={report.exact_match} />
            <ShareRow name="valid" p={report.valid_calls} />
            {calls && <ShareRow name="function accuracy" p={calls.function_accuracy} />}
            {calls && <ShareRow name="no-call precision" p={calls.no_call_precision} />}
            {calls && <ShareRow name="no-call recall" p={calls.no_call_recall} />}
          </tbody>
        </table>
        <p class="quiet small">
          {calls && <>argument F1 {percent(calls.argument_f1)} · </>}
          {report.latency_p50_ms !== undefined && report.latency_p95_ms !== undefined
            ? <>latency p50 {duration(report.latency_p50_ms)}, p95 {duration(report.latency_p95_ms)} of {report.computed} computed answers · </>
            : <>all answers remembered, so no latency · </>}
          {report.tokens_per_case.toFixed(0)} tokens a case
        </p>
      </div>
      {report.tags && report.tags.length > 0 && (
        <div class="card">
          <h2>Slices <span class="quiet small">worst first</span></h2>
          <div class="tall" tabIndex={0} role="region" aria-label="Slices">
            <table class="shares">
              <tbody>{report.tags.map((tag) => (
                <tr><th scope="row">{tag.tag}</th><td class="num strong">{percent(tag.rate)}</td><td class="bar"><ShareBar p={tag} /></td><td class="num quiet">{tag.passed} of {tag.total}</td></tr>
              ))}</tbody>
            </table>
          </div>
        </div>
      )}
    </section>
  );
}

function CasesBlock({ run, at }: { run: Run; at: Place }): JSX.Element {
  const limit = 50;
  const show = at.query.get("show") ?? "all";
  const text = at.query.get("text") ?? "";
  const offset = Number(at.query.get("cases") ?? 0) || 0;
  const query = new URLSearchParams({ show, text, offset: String(offset), limit: String(limit) });
  const data = useData<Cases>(`runs/${run.id}/cases?${query.toString()}`, run.status === "running" ? liveMs : 0);
  return (
    <section class="card">
      <div class="bar-line">
        <h2>Cases <span class="quiet small">failures first</span></h2>
        <div class="choice" role="group" aria-label="Which cases">
          {["all", "failed", "passed"].map((value) => <button type="button" aria-pressed={show === value} onClick={() => change(at, { show: value === "all" ? "" : value, cases: "" })}>{value}</button>)}
        </div>
        <Search id="cases" value={text} label="Look for cases" placeholder="Text, tag or id" onChange={(next) => change(at, { text: next, cases: "" }, true)} />
      </div>
      <Show data={data}>
        {({ cases, found }) => (
          <>
            <div class="scroll" tabIndex={0} role="region" aria-label="Cases">
              <table class="rows cases">
                <thead><tr><th scope="col"><span class="hidden">Result</span></th><th scope="col">Asked</th><th scope="col">Answered <span class="quiet">(removed: wrong, added: expected)</span></th><th scope="col">Tags</th><th scope="col" class="num">Took</th></tr></thead>
                <tbody>{cases.map((c) => (
                  <tr key={c.index}>
                    <td><span class={c.passed ? "mark yes" : "mark no"} aria-label={c.passed ? "passed" : "failed"}>{c.passed ? "✓" : "✗"}</span></td>
                    <td class="asked">{c.input || <span class="quiet">{c.example_id}</span>}</td>
                    <td>{c.passed || c.expected === "" ? <span class="mono wrap">{c.output}</span> : <WordDiff before={c.output} after={c.expected} />}{c.reason && !c.passed && !c.reason.startsWith("expected ") && <div class="quiet small">{c.reason}</div>}</td>
                    <td class="quiet small">{c.tags.join(", ")}</td>
                    <td class="num quiet nowrap">{c.latency_ms !== null ? duration(c.latency_ms) : "remembered"}</td>
                  </tr>
                ))}</tbody>
              </table>
            </div>
            {cases.length === 0 && <p class="quiet empty">No such case.</p>}
            <Pager offset={offset} limit={limit} shown={cases.length} more={offset + cases.length < found} found={found} go={(to) => change(at, { cases: to ? String(to) : "" })} />
          </>
        )}
      </Show>
    </section>
  );
}

function TracesBlock({ run, at }: { run: Run; at: Place }): JSX.Element {
  const limit = 50;
  const offset = Number(at.query.get("traces") ?? 0) || 0;
  const data = useData<Traces>(`runs/${run.id}/traces?offset=${offset}&limit=${limit}`, run.status === "running" && offset === 0 ? 5000 : 0);
  return (
    <section class="card">
      <h2>Traces <span class="quiet small">newest first</span></h2>
      <Show data={data}>
        {({ traces, found }) => (
          <>
            <div class="scroll" tabIndex={0} role="region" aria-label="Traces">
              <table class="rows">
                <thead><tr><th scope="col">Trace</th><th scope="col">When</th><th scope="col">Asked</th><th scope="col">Answered</th><th scope="col" class="num">Spans</th><th scope="col" class="num">Took</th></tr></thead>
                <tbody>{traces.map((trace) => (
                  <tr key={trace.trace_id}>
                    <td><a class="id" href={`#/trace/${encodeURIComponent(trace.trace_id)}`}>{shortId(trace.trace_id)}</a></td>
                    <td class="nowrap">{when(trace.start_ms)}</td>
                    <td class="clip">{trace.input || trace.name}</td>
                    <td class="clip">{trace.reply}{!trace.ok && <span class="mark no"> ✗</span>}</td>
                    <td class="num quiet">{trace.spans}</td>
                    <td class="num">{duration(trace.took_ms)}</td>
                  </tr>
                ))}</tbody>
              </table>
            </div>
            <Pager offset={offset} limit={limit} shown={traces.length} more={offset + traces.length < found} found={found} go={(to) => change(at, { traces: to ? String(to) : "" })} />
          </>
        )}
      </Show>
    </section>
  );
}

function Children({ runs }: { runs: RunLine[] }): JSX.Element {
  return (
    <section class="card">
      <h2>Parts of this run</h2>
      <table class="rows">
        <tbody>{runs.map((run) => (
          <tr><td><RunLink id={run.id} /></td><td><Kind kind={run.kind} /></td><td><RunLink id={run.id}>{run.name || "unnamed"}</RunLink></td><td class="num strong">{run.figures.exact_match !== undefined ? figure("exact_match", run.figures.exact_match) : ""}</td><td class="num quiet">{took(run)}</td><td><Status status={run.status} /></td></tr>
        ))}</tbody>
      </table>
    </section>
  );
}

const reported = /^(exact_match|valid_rate|function_accuracy|no_call_|argument_f1|latency_|cases$|cached_cases$)/;

function OtherFigures({ run }: { run: Run }): JSX.Element | null {
  const keys = Object.keys(run.figures).filter((key) => !run.report || !reported.test(key)).sort();
  if (keys.length === 0) return null;
  return (
    <section class="card">
      <h2>Latest figures</h2>
      <dl class="figures">{keys.map((key) => <div><dt>{key}</dt><dd>{figure(key, run.figures[key] ?? null)}</dd></div>)}</dl>
    </section>
  );
}

function Prompt({ parts }: { parts: Record<string, unknown> }): JSX.Element {
  const { prompt, ...rest } = parts;
  return (
    <section class="card">
      <h2>The candidate</h2>
      <Pairs of={rest} />
      {typeof prompt === "string" && <><h3>Prompt</h3><pre class="mono wrap block" tabIndex={0}>{prompt}</pre></>}
    </section>
  );
}

function Body({ run, at }: { run: Run; at: Place }): JSX.Element {
  return (
    <>
      <div class="bar-line title">
        <h1>{run.name || "unnamed"}</h1>
        <Kind kind={run.kind} /><Status status={run.status} />
      </div>
      <p class="quiet facts">
        <span>run <span class="id">{run.id}</span></span>
        <span>{when(run.start_ms)}</span>
        {took(run) && <span>took {took(run)}</span>}
        {run.dataset && <span>on {run.dataset}{run.split && ` (${run.split})`}</span>}
        {run.model && <span>{run.model}</span>}
        {run.cases > 0 && <span>{count(run.cases, "case")}</span>}
        {run.parent_id && <span>part of <RunLink id={run.parent_id} /></span>}
      </p>
      {run.error && <p class="problem">{run.error}</p>}
      {run.report && <ReportBlock report={run.report} />}
      <CurvesBlock run={run} />
      <OtherFigures run={run} />
      {run.children.length > 0 && <Children runs={run.children} />}
      {run.cases > 0 && <CasesBlock run={run} at={at} />}
      {run.traces > 0 && <TracesBlock run={run} at={at} />}
      <section class="split">
        {Object.keys(run.params).length > 0 && <div class="card"><h2>Params</h2><Pairs of={run.params} /></div>}
        {Object.keys(run.tags).length > 0 && <div class="card"><h2>Tags</h2><Pairs of={run.tags} /></div>}
      </section>
      {run.candidate_parts && <Prompt parts={run.candidate_parts} />}
      <section class="split">
        <details class="card"><summary>What decided it</summary><Pairs of={(run.inputs ?? {}) as Record<string, unknown>} /></details>
        <details class="card"><summary>Where it ran</summary><Pairs of={(run.environment ?? {}) as Record<string, unknown>} /></details>
      </section>
    </>
  );
}

export function RunPage({ id, at }: { id: string; at: Place }): JSX.Element {
  const [live, setLive] = useState(true);
  const data = useData<Run>(`runs/${encodeURIComponent(id)}`, live ? liveMs : 0);
  if (data.value && data.value.status !== "running" && live) setLive(false);
  useTitle(data.value ? data.value.name || data.value.kind : `Run ${shortId(id)}`);
  return <Show data={data}>{(run) => <Body run={run} at={at} />}</Show>;
}
