// All runs: filtered, sorted, a page at a time; two of them can be chosen and compared.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { RunLine, RunTable } from "../api";
import { count, figure, when } from "../format";
import { Kind, Pager, RunLink, Search, Show, Status, took, useData, useTitle } from "../parts";
import { change, type Place } from "../route";

const limit = 50;
const columns: { key: string; title: string; num?: boolean }[] = [
  { key: "start", title: "When" },
  { key: "kind", title: "Kind" },
  { key: "candidate", title: "Candidate" },
  { key: "dataset", title: "Dataset" },
  { key: "exact_match", title: "Exact match", num: true },
  { key: "latency_p50_ms", title: "p50", num: true },
  { key: "took", title: "Took", num: true },
];

// The figures that tell most of a run that has no exact match: a training's loss, a client's own.
function headline(run: RunLine): string {
  const keys = Object.keys(run.figures);
  const key = ["exact_match", "dev_exact_match", "loss", "p_value", "requests"].find((k) => keys.includes(k));
  if (key === undefined || key === "exact_match") return "";
  return `${key} ${figure(key, run.figures[key] ?? null)}`;
}

function Header({ at, column }: { at: Place; column: (typeof columns)[number] }): JSX.Element {
  const sort = at.query.get("sort") || "-start";
  const active = sort.replace(/^-/, "") === column.key;
  const falling = sort.startsWith("-");
  const next = active ? (falling ? column.key : `-${column.key}`) : column.num || column.key === "start" ? `-${column.key}` : column.key;
  return (
    <th scope="col" class={column.num ? "num" : undefined} aria-sort={active ? (falling ? "descending" : "ascending") : undefined}>
      <button type="button" onClick={() => change(at, { sort: next, offset: "" })}>{column.title}{active && <span aria-hidden="true">{falling ? " ↓" : " ↑"}</span>}</button>
    </th>
  );
}

function Row({ run, chosen, choose }: { run: RunLine; chosen: boolean; choose: () => void }): JSX.Element {
  const exact = run.figures.exact_match;
  const p50 = run.figures.latency_p50_ms;
  return (
    <tr class={chosen ? "chosen" : undefined}>
      <td><input type="checkbox" aria-label={`Choose ${run.name} to compare`} checked={chosen} onChange={choose} /></td>
      <td><RunLink id={run.id} /></td>
      <td class="nowrap">{when(run.start_ms)}</td>
      <td><Kind kind={run.kind} />{run.parent_id && <span class="quiet" title="part of another run"> ↳</span>}</td>
      <td class="clip"><RunLink id={run.id}>{run.candidate_name || run.name || "unnamed"}</RunLink></td>
      <td class="clip">{run.dataset}{run.split && run.split !== run.dataset && <span class="quiet"> {run.split}</span>}</td>
      <td class="num strong">{exact !== undefined ? figure("exact_match", exact) : <span class="quiet small">{headline(run)}</span>}</td>
      <td class="num quiet">{p50 != null ? `${p50.toFixed(0)} ms` : ""}</td>
      <td class="num quiet">{took(run)}</td>
      <td><Status status={run.status} /></td>
    </tr>
  );
}

export function RunsPage({ at }: { at: Place }): JSX.Element {
  useTitle("Runs");
  const [chosen, setChosen] = useState<string[]>([]);
  const filter = at.query.get("filter") ?? "";
  const sort = at.query.get("sort") ?? "";
  const offset = Number(at.query.get("offset") ?? 0) || 0;
  const query = new URLSearchParams({ filter, sort, offset: String(offset), limit: String(limit) });
  const data = useData<RunTable>(`runs?${query.toString()}`, 5000);
  const choose = (id: string): void => setChosen((old) => (old.includes(id) ? old.filter((o) => o !== id) : [...old, id].slice(-2)));
  return (
    <>
      <div class="bar-line">
        <h1>Runs</h1>
        <Search id="filter" value={filter} label="Filter the runs" placeholder="Filter: kind:eval candidate:tuned exact_match>0.9" onChange={(text) => change(at, { filter: text, offset: "" }, true)} />
        {chosen.length === 2
          ? <a class="button primary" href={`#/compare/${chosen[0]}/${chosen[1]}`}>Compare the two</a>
          : <span class="quiet small">{chosen.length === 1 ? "Choose one more to compare" : "Choose two to compare"}</span>}
      </div>
      <Show data={data}>
        {(table) => (
          <>
            <div class="scroll" tabIndex={0} role="region" aria-label="Runs">
              <table class="rows">
                <thead><tr><th scope="col"><span class="hidden">Choose</span></th><th scope="col">Run</th>{columns.map((c) => <Header at={at} column={c} />)}<th scope="col">Status</th></tr></thead>
                <tbody>
                  {table.runs.map((run) => <Row key={run.id} run={run} chosen={chosen.includes(run.id)} choose={() => choose(run.id)} />)}
                </tbody>
              </table>
            </div>
            {table.runs.length === 0 && <p class="quiet empty">{filter ? "No run fits the filter." : "No runs yet. `slipway eval` makes one."}</p>}
            {!table.complete && (filter || sort) && <p class="quiet small">Looked at the newest {count(table.searched, "run")}.</p>}
            <Pager offset={offset} limit={limit} shown={table.runs.length} more={table.more} found={table.found} go={(to) => change(at, { offset: to ? String(to) : "" })} />
          </>
        )}
      </Show>
    </>
  );
}
