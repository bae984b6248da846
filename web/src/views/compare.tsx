// Two runs on the same rows: what changed, what it did, and every row on which they disagree.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Comparison, Flip, Proportion, RunLine } from "../api";
import { count, percent, points } from "../format";
import { Changes, EffectText, RunLink, ShareBar, Show, useData, useTitle, WordDiff } from "../parts";

const name = (run: RunLine): string => run.candidate_name || run.name || "unnamed";

function Side({ title, run, exact }: { title: string; run: RunLine; exact: Proportion | undefined }): JSX.Element {
  return (
    <div class="card">
      <p class="quiet small">{title}</p>
      <h2><RunLink id={run.id}>{name(run)}</RunLink></h2>
      <p class="quiet small">{run.dataset} {run.split && run.split !== run.dataset && run.split} · {run.model}</p>
      {exact && <><p class="big">{percent(exact.rate)}</p><ShareBar p={exact} /><p class="quiet small">{exact.passed} of {exact.total} right, 95 % interval {percent(exact.low)} to {percent(exact.high)}</p></>}
    </div>
  );
}

function Slices({ c }: { c: Comparison }): JSX.Element | null {
  const others = new Map((c.second.report?.tags ?? []).map((tag) => [tag.tag, tag]));
  const both = (c.first.report?.tags ?? []).filter((tag) => others.has(tag.tag))
    .map((tag) => ({ tag, other: others.get(tag.tag)!, change: others.get(tag.tag)!.rate - tag.rate }))
    .sort((a, b) => a.change - b.change);
  if (both.length === 0) return null;
  return (
    <section class="card">
      <h2>Slices <span class="quiet small">most lost first</span></h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Slices">
        <table class="rows">
          <thead><tr><th scope="col">Tag</th><th scope="col" class="num">Rows</th><th scope="col" class="num">First</th><th scope="col" class="num">Second</th><th scope="col" class="num">Points</th></tr></thead>
          <tbody>{both.map(({ tag, other, change }) => (
            <tr><td>{tag.tag}</td><td class="num quiet">{tag.total}</td><td class="num">{percent(tag.rate)}</td><td class="num">{percent(other.rate)}</td><td class={`num ${change > 0 ? "better" : change < 0 ? "worse" : "quiet"}`}>{points(change)}</td></tr>
          ))}</tbody>
        </table>
      </div>
    </section>
  );
}

function FlipRow({ flip }: { flip: Flip }): JSX.Element {
  return (
    <tr>
      <td><span class={flip.first_passed ? "mark no" : "mark yes"}>{flip.first_passed ? "lost" : "won"}</span></td>
      <td class="asked">{flip.input || <span class="quiet">{flip.example}</span>}</td>
      <td><WordDiff before={flip.first_output} after={flip.second_output} /></td>
      <td class="mono wrap quiet">{flip.expected}</td>
    </tr>
  );
}

function Flips({ flips }: { flips: Flip[] }): JSX.Element {
  const [show, setShow] = useState("all");
  const [most, setMost] = useState(100);
  const fits = flips.filter((flip) => show === "all" || flip.first_passed === (show === "lost"));
  return (
    <section class="card">
      <div class="bar-line">
        <h2>Flips <span class="quiet small">rows on which one is right and the other is not</span></h2>
        <div class="choice" role="group" aria-label="Which flips">
          {["all", "lost", "won"].map((value) => <button type="button" aria-pressed={show === value} onClick={() => setShow(value)}>{value}</button>)}
        </div>
      </div>
      {fits.length === 0 ? <p class="quiet empty">None.</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Flips">
          <table class="rows cases">
            <thead><tr><th scope="col">Second</th><th scope="col">Asked</th><th scope="col">Answers <span class="quiet">(removed: first, added: second)</span></th><th scope="col">Expected</th></tr></thead>
            <tbody>{fits.slice(0, most).map((flip) => <FlipRow key={flip.example} flip={flip} />)}</tbody>
          </table>
        </div>
      )}
      {fits.length > most && <button type="button" onClick={() => setMost(most + 400)}>Show more of {fits.length}</button>}
    </section>
  );
}

export function ComparePage({ first, second }: { first: string; second: string }): JSX.Element {
  useTitle("Compare");
  const data = useData<Comparison>(`compare?first=${encodeURIComponent(first)}&second=${encodeURIComponent(second)}`);
  return (
    <Show data={data}>
      {(c) => (
        <>
          <div class="bar-line title"><h1>Compare</h1><a class="button" href={`#/compare/${encodeURIComponent(second)}/${encodeURIComponent(first)}`}>Turn round</a></div>
          {c.rows > 0
            ? <p class="lead">The second against the first: <EffectText effect={{ rows: c.rows, change: (c.only_second - c.only_first) / c.rows, low: c.difference_low, high: c.difference_high, p_value: c.p_value, only_before: c.only_first, only_after: c.only_second }} /></p>
            : <p class="lead">The two share no rows.</p>}
          {c.rows > 0 && !c.same_rows && <p class="quiet small">The runs used different versions of the rows.</p>}
          {c.unmatched > 0 && <p class="quiet small">{count(c.unmatched, "row")} only one of them has {c.unmatched === 1 ? "is" : "are"} left out of all figures.</p>}
          <section class="split"><Side title="First" run={c.first} exact={c.first.report?.exact_match} /><Side title="Second" run={c.second} exact={c.second.report?.exact_match} /></section>
          <section class="card"><h2>What changed</h2>{c.changed.length > 0 ? <Changes changed={c.changed} /> : <p class="quiet">{c.first.candidate && c.first.candidate === c.second.candidate ? "Nothing: it is the same candidate." : "The store does not know both candidates."}</p>}</section>
          <Flips flips={c.flips} />
          <Slices c={c} />
        </>
      )}
    </Show>
  );
}
