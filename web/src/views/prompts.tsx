// Prompts and their versions: the text, what each changed, and what came of it.
import type { JSX } from "preact";
import type { Prompts, PromptVersion } from "../api";
import { count, figure, when } from "../format";
import { RunLink, Show, TextDiff, useData, useTitle } from "../parts";
import { change, type Place } from "../route";

const best = (version: PromptVersion): number | null =>
  version.runs.reduce<number | null>((high, run) => (run.exact_match !== null && (high === null || run.exact_match > high) ? run.exact_match : high), null);

function Version({ version, before }: { version: PromptVersion; before: PromptVersion | undefined }): JSX.Element {
  return (
    <>
      <section class="card">
        <h2>Version {version.number} <span class="quiet small">{when(version.created_ms)} · <span class="id">{version.id.slice(0, 12)}</span></span></h2>
        {before && <><h3>Changed against version {before.number}</h3><TextDiff before={before.source} after={version.source} /></>}
        <h3>Text</h3>
        <pre class="mono wrap block" tabIndex={0}>{version.source}</pre>
      </section>
      <section class="card">
        <h2>Evaluated with it</h2>
        {version.runs.length === 0 ? <p class="quiet">Not yet.</p> : (
          <table class="rows"><tbody>{version.runs.map((run) => (
            <tr><td><RunLink id={run.id} /></td><td class="nowrap">{when(run.start_ms)}</td><td>{run.candidate_name}</td><td>{run.dataset}</td><td class="num strong">{run.exact_match !== null ? figure("exact_match", run.exact_match) : ""}</td></tr>
          ))}</tbody></table>
        )}
      </section>
    </>
  );
}

export function PromptsPage({ name, at }: { name: string; at: Place }): JSX.Element {
  useTitle("Prompts");
  const data = useData<Prompts>("prompts");
  return (
    <Show data={data}>
      {({ prompts }) => {
        if (prompts.length === 0) return <><h1>Prompts</h1><p class="quiet empty">No prompts yet. `slipway eval` records the one it uses.</p></>;
        const prompt = prompts.find((p) => p.name === name) ?? prompts[0]!;
        const wanted = Number(at.query.get("version") ?? 0);
        const index = Math.max(0, prompt.versions.findIndex((v) => v.number === wanted));
        const shown = wanted ? index : prompt.versions.length - 1;
        const version = prompt.versions[shown]!;
        return (
          <>
            <h1>Prompts</h1>
            <div class="side-by-side">
              <nav class="list" aria-label="Prompts">
                {prompts.map((p) => (
                  <div>
                    <a href={`#/prompts/${encodeURIComponent(p.name)}`} aria-current={p === prompt && !wanted ? "page" : undefined}><b>{p.name}</b><span class="quiet small">{count(p.versions.length, "version")}</span></a>
                    {p === prompt && p.versions.length > 1 && [...p.versions].reverse().map((v) => (
                      <button type="button" class="plain sub" aria-current={v === version ? "true" : undefined} onClick={() => change({ ...at, parts: ["prompts", p.name] }, { version: String(v.number) })}>version {v.number}<span class="quiet small">{best(v) !== null ? figure("exact_match", best(v)) : ""}</span></button>
                    ))}
                  </div>
                ))}
              </nav>
              <div><Version version={version} before={prompt.versions[shown - 1]} /></div>
            </div>
          </>
        );
      }}
    </Show>
  );
}
