// The small pieces that the views are made of.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { get, hasToken, Refused, setToken, type Change, type Effect, type Proportion, type RunLine } from "./api";
import { lines, words } from "./diff";
import { duration, interval, number, percent, points, shortId } from "./format";

export interface Loaded<T> { value: T | null; error: Refused | null; loading: boolean }

// The answer to a path; asked again every `everyMs` while the tab is looked at, when that is not 0.
export function useData<T>(path: string, everyMs = 0): Loaded<T> {
  const [state, setState] = useState<Loaded<T> & { path: string }>({ value: null, error: null, loading: true, path });
  useEffect(() => {
    const aborter = new AbortController();
    let timer = 0;
    const ask = async (): Promise<void> => {
      try {
        if (document.visibilityState === "visible" || everyMs === 0) {
          const value = await get<T>(path, aborter.signal);
          setState({ value, error: null, loading: false, path });
        }
      } catch (error) {
        if (aborter.signal.aborted) return;
        const refused = error instanceof Refused ? error : new Refused(String(error), 0);
        setState((old) => ({ value: old.path === path ? old.value : null, error: refused, loading: false, path }));
      }
      if (everyMs > 0 && !aborter.signal.aborted) timer = window.setTimeout(ask, everyMs);
    };
    setState((old) => ({ ...old, loading: true }));
    void ask();
    return () => { aborter.abort(); window.clearTimeout(timer); };
  }, [path, everyMs]);
  return state.path === path ? state : { ...state, error: null, loading: true };
}

// What a 401 shows; a token that is kept by then is the one that was refused.
export function TokenForm(): JSX.Element {
  const [token, setText] = useState("");
  const [problem, setProblem] = useState(hasToken() ? "The server did not accept the token." : "");
  const submit = (event: Event): void => {
    event.preventDefault();
    if (setToken(token.trim())) {
      window.location.reload();
      return;
    }
    setText("");
    setProblem("That is no token: it is empty, or has characters outside ASCII.");
  };
  return (
    <form class="card narrow" onSubmit={submit}>
      <h2>This server wants a token</h2>
      <p class="quiet">It is in <code>~/.config/slipway/serve-token</code> of the machine that serves, or its <code>SLIPWAY_TOKEN</code>. It is kept until this tab is closed.</p>
      {problem && <p class="problem" role="alert">{problem}</p>}
      <label>Token <input type="password" autocomplete="off" value={token} onInput={(e) => setText(e.currentTarget.value)} /></label>
      <button type="submit" class="primary">Show</button>
    </form>
  );
}

export function Problem({ error }: { error: Refused }): JSX.Element {
  if (error.status === 401) return <TokenForm />;
  return <p class="problem" role="alert">{error.message}</p>;
}

// What there is of the data: the value, the error above it, or that it is on its way.
export function Show<T>({ data, children }: { data: Loaded<T>; children: (value: T) => ComponentChildren }): JSX.Element {
  return (
    <>
      {data.error && <Problem error={data.error} />}
      {data.value !== null ? children(data.value) : !data.error && <p class="quiet loading">Loading…</p>}
    </>
  );
}

export const Status = ({ status }: { status: string }): JSX.Element => <span class={`status ${["running", "finished", "failed", "killed"].includes(status) ? status : ""}`}>{status}</span>;

export const Kind = ({ kind }: { kind: string }): JSX.Element => <span class="kind">{kind}</span>;

export const RunLink = ({ id, children }: { id: string; children?: ComponentChildren }): JSX.Element => (
  <a href={`#/run/${encodeURIComponent(id)}`} class={children ? undefined : "id"}>{children ?? shortId(id)}</a>
);

// A share with its interval as a bar: where the true value may be.
export function ShareBar({ p }: { p: Proportion }): JSX.Element {
  return (
    <svg class="share" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={`${percent(p.rate)}, 95 % interval ${interval(p.low, p.high)}`}>
      <rect class="track" x="0" y="3.5" width="100" height="3" />
      <rect class="range" x={100 * p.low} y="2" width={Math.max(100 * (p.high - p.low), 0.5)} height="6" />
      <rect class="mark" x={Math.min(100 * p.rate, 99)} y="0" width="1" height="10" />
    </svg>
  );
}

export function ShareRow({ name, p }: { name: string; p: Proportion }): JSX.Element {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class="num strong">{p.total ? percent(p.rate) : "–"}</td>
      <td class="bar">{p.total > 0 && <ShareBar p={p} />}</td>
      <td class="num quiet">{p.total ? interval(p.low, p.high) : "no such rows"}</td>
      <td class="num quiet">{p.passed} of {p.total}</td>
    </tr>
  );
}

export function EffectText({ effect }: { effect: Effect }): JSX.Element {
  const decided = effect.p_value < 0.05 && effect.change !== 0;
  const tone = decided ? (effect.change > 0 ? "better" : "worse") : "open";
  return (
    <span>
      <span class={`effect ${tone}`}>{points(effect.change)} points</span>{" "}
      <span class="quiet">({points(effect.low)} to {points(effect.high)}; p = {pValue(effect.p_value)}; {effect.only_after} won, {effect.only_before} lost of {effect.rows})</span>
      {!decided && <span class="quiet"> — no difference shown</span>}
    </span>
  );
}

export const pValue = (p: number): string => (p < 0.001 ? p.toExponential(1) : p.toFixed(3));

export function WordDiff({ before, after }: { before: string; after: string }): JSX.Element {
  return (
    <span class="mono wrap">
      {words(before, after).map((piece) => piece.kind === "same" ? piece.text : piece.kind === "removed" ? <del>{piece.text}</del> : <ins>{piece.text}</ins>)}
    </span>
  );
}

const around = 3;  // unchanged lines shown beside a change

export function TextDiff({ before, after }: { before: string; after: string }): JSX.Element {
  const pieces = lines(before, after);
  const near = pieces.map((_, i) => pieces.slice(Math.max(0, i - around), i + around + 1).some((p) => p.kind !== "same"));
  near.forEach((is, i) => { if (!is && near[i - 1] !== false && near[i + 1] !== false) near[i] = true; });  // one line is no gap
  const rows: JSX.Element[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]!;
    if (near[i]) {
      rows.push(<div class={`line ${piece.kind}`}><span aria-hidden="true">{piece.kind === "same" ? " " : piece.kind === "added" ? "+" : "−"}</span>{piece.text || " "}</div>);
    } else if (i === 0 || near[i - 1]) {
      const hidden = near.slice(i).findIndex(Boolean);
      rows.push(<div class="line gap">{hidden < 0 ? pieces.length - i : hidden} unchanged lines</div>);
    }
  }
  return <div class="diff mono" tabIndex={0}>{rows}</div>;
}

export function Changes({ changed }: { changed: Change[] }): JSX.Element {
  return (
    <dl class="changes">
      {changed.map((change) => (
        <>
          <dt>{change.part}</dt>
          <dd>{change.before.includes("\n") || change.after.includes("\n")
            ? <TextDiff before={change.before} after={change.after} />
            : <span class="mono wrap">{change.before !== "" && <del>{change.before}</del>}{change.before !== "" && change.after !== "" && " → "}{change.after !== "" && <ins>{change.after}</ins>}</span>}</dd>
        </>
      ))}
    </dl>
  );
}

export function Pager({ offset, limit, shown, more, go, found }: {
  offset: number; limit: number; shown: number; more: boolean; go: (offset: number) => void; found?: number | null;
}): JSX.Element | null {
  if (offset === 0 && !more) return null;
  return (
    <nav class="pager" aria-label="Pages">
      <button type="button" disabled={offset === 0} onClick={() => go(Math.max(0, offset - limit))}>← Before</button>
      <span class="quiet">{shown === 0 ? "none" : `${number(offset + 1)} to ${number(offset + shown)}`}{found != null && ` of ${number(found)}`}</span>
      <button type="button" disabled={!more} onClick={() => go(offset + limit)}>After →</button>
    </nav>
  );
}

// A value as text: an object has a line for each member.
function written(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null || typeof value !== "object" || Array.isArray(value)) return JSON.stringify(value) ?? "";
  return Object.entries(value).map(([key, inner]) => `${key}: ${typeof inner === "string" ? inner : JSON.stringify(inner)}`).join("\n");
}

// Names and values, of params, tags and the like.
export function Pairs({ of }: { of: Record<string, unknown> }): JSX.Element {
  const keys = Object.keys(of).sort();
  if (keys.length === 0) return <p class="quiet">None.</p>;
  return (
    <dl class="pairs">
      {keys.map((key) => <><dt>{key}</dt><dd class="mono wrap">{written(of[key])}</dd></>)}
    </dl>
  );
}

export const took = (run: RunLine): string => (run.end_ms ? duration(run.end_ms - run.start_ms) : "");

export function useTitle(title: string): void {
  useEffect(() => { document.title = `${title} · Slipway`; }, [title]);
}

// An input that tells only what was typed last, a moment after. What it told comes back as its value and leaves the text
// alone, to which more was added by then; another value, as after Back, takes the text's place.
export function Search({ value, label, placeholder, onChange, id }: {
  value: string; label: string; placeholder: string; onChange: (text: string) => void; id: string;
}): JSX.Element {
  const [text, setText] = useState(value);
  const timer = useRef(0);
  const told = useRef(value);
  const tell = useRef(onChange);
  tell.current = onChange;  // the latest: the place may have changed since the letter
  useLayoutEffect(() => {
    if (value === told.current) return;
    told.current = value;
    window.clearTimeout(timer.current);
    setText(value);
  }, [value]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const type = (next: string): void => {
    setText(next);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      told.current = next;
      tell.current(next);
    }, 250);
  };
  return <input id={id} type="search" class="search" spellcheck={false} aria-label={label} placeholder={placeholder} value={text} onInput={(e) => type(e.currentTarget.value)} />;
}
