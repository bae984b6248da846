// The lab notebook: what was tried, what changed against the candidate before, what it did to the figures.
import type { JSX } from "preact";
import type { Entry, Notebook } from "../api";
import { figure, when } from "../format";
import { Changes, EffectText, Kind, RunLink, Show, Status, useData, useTitle } from "../parts";
import { change, type Place } from "../route";

const limit = 50;
const shown = ["exact_match", "exact_match_low", "exact_match_high", "loss", "epoch_loss", "dev_exact_match", "best_epoch", "train_s", "p_value"];

function Figures({ entry }: { entry: Entry }): JSX.Element | null {
  const f = entry.figures;
  if (f.exact_match != null) {
    const low = f.exact_match_low, high = f.exact_match_high;
    return <p><b class="num">{figure("exact_match", f.exact_match)}</b> <span class="quiet">exact match{low != null && high != null && <>, 95 % interval {figure("exact_match", low)} to {figure("exact_match", high)}</>}{f.cases != null && <>, {f.cases} rows</>}</span></p>;
  }
  const keys = shown.filter((key) => f[key] != null);
  const others = keys.length > 0 ? keys : Object.keys(f).slice(0, 4);
  if (others.length === 0) return null;
  return <p>{others.map((key) => <span class="pair"><span class="quiet">{key}</span> <b class="num">{figure(key, f[key] ?? null)}</b></span>)}</p>;
}

function Against({ entry }: { entry: Entry }): JSX.Element | null {
  if (!entry.against_run) return null;
  return (
    <>
      {entry.effect && <p><EffectText effect={entry.effect} /> <a class="small" href={`#/compare/${entry.against_run}/${entry.run_id}`}>flips</a></p>}
      {entry.changed.length > 0 ? (
        <details>
          <summary>Changed against <b>{entry.against_name}</b>: {entry.changed.map((c) => c.part).join(", ")}</summary>
          <Changes changed={entry.changed} />
        </details>
      ) : <p class="quiet small">The same as <RunLink id={entry.against_run}>{entry.against_name || "before"}</RunLink>: nothing changed.</p>}
    </>
  );
}

function EntryItem({ entry }: { entry: Entry }): JSX.Element {
  const verdict = entry.kind === "gate" ? entry.note.split(":")[0] : "";
  return (
    <li class={`entry ${entry.kind === "release" ? "release" : ""}`}>
      <div class="stamp"><time>{when(entry.unix_ms)}</time><Kind kind={entry.kind} /></div>
      <div class="what">
        <h2>{entry.run_id ? <RunLink id={entry.run_id}>{entry.title || "unnamed"}</RunLink> : entry.title}{entry.status && entry.status !== "finished" && <> <Status status={entry.status} /></>}</h2>
        {entry.note && <p class={verdict === "pass" ? "verdict pass" : verdict === "fail" ? "verdict fail" : entry.status === "failed" ? "problem" : "verdict"}>{entry.note}</p>}
        <Figures entry={entry} />
        <Against entry={entry} />
      </div>
    </li>
  );
}

export function NotebookPage({ at }: { at: Place }): JSX.Element {
  useTitle("Notebook");
  const before = at.query.get("before") ?? "";
  const data = useData<Notebook>(`notebook?limit=${limit}${before ? `&before_ms=${encodeURIComponent(before)}` : ""}`);
  return (
    <>
      <div class="bar-line title"><h1>Lab notebook</h1><span class="quiet small">newest first; written by the runs themselves</span></div>
      <Show data={data}>
        {({ entries, more }) => (
          <>
            {entries.length === 0 && <p class="quiet empty">Nothing was tried yet. `slipway eval` is the first entry.</p>}
            <ol class="notebook">{[...entries].reverse().map((entry) => <EntryItem entry={entry} />)}</ol>
            <nav class="pager" aria-label="Pages">
              {before && <button type="button" onClick={() => change(at, { before: "" })}>← Newest</button>}
              {more && <button type="button" onClick={() => change(at, { before: String(entries[0]!.unix_ms) })}>Older →</button>}
            </nav>
          </>
        )}
      </Show>
    </>
  );
}
