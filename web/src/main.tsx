// The frame around the views, and which view belongs to which address.
import "uplot/dist/uPlot.min.css";
import "./page.css";
import { render, type ComponentChildren, type JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Project } from "./api";
import { useData } from "./parts";
import { usePlace, type Place } from "./route";
import { ComparePage } from "./views/compare";
import { NotebookPage } from "./views/notebook";
import { PromptsPage } from "./views/prompts";
import { RunPage } from "./views/run";
import { RunsPage } from "./views/runs";
import { TracePage } from "./views/trace";

const tabs: [string, string][] = [["runs", "Runs"], ["notebook", "Notebook"], ["prompts", "Prompts"]];

function View({ at }: { at: Place }): JSX.Element {
  const [view = "runs", first = "", second = ""] = at.parts;
  switch (view) {
    case "runs": return <RunsPage at={at} />;
    case "run": return <RunPage key={first} id={first} at={at} />;
    case "compare": return <ComparePage first={first} second={second} />;
    case "trace": return <TracePage id={first} />;
    case "prompts": return <PromptsPage name={first} at={at} />;
    case "notebook": return <NotebookPage at={at} />;
    default: return <p class="problem" role="alert">There is no such page. <a href="#/runs">Runs</a></p>;
  }
}

// "/" goes to the search field of the page, as in many others.
function useShortcuts(): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
      const field = document.querySelector<HTMLInputElement>("input.search");
      if (!field) return;
      event.preventDefault();
      field.focus();
      field.select();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}

// What is around the view. It asks by itself what is in production; the view is not drawn anew with the answer.
function Frame({ active, children }: { active: string; children: ComponentChildren }): JSX.Element {
  const project = useData<Project>("project", 5000);
  const aliases = Object.entries(project.value?.aliases ?? {});
  return (
    <>
      <a class="skip" href="#content" onClick={(e) => { e.preventDefault(); document.getElementById("content")?.focus(); }}>To the content</a>
      <header class="top">
        <a class="brand" href="#/runs"><img src="/page.svg" alt="" width="22" height="22" />Slipway</a>
        <nav aria-label="Views">
          {tabs.map(([path, title]) => (
            <a href={`#/${path}`} aria-current={active === path || (path === "runs" && (active === "run" || active === "compare" || active === "trace")) ? "page" : undefined}>{title}</a>
          ))}
        </nav>
        <div class="where">
          {aliases.map(([alias, name]) => <span class="alias" title="what this alias points to">{alias}: <b>{name}</b></span>)}
          <span class="project">{project.value?.project}</span>
        </div>
      </header>
      {children}
      <footer class="quiet">Slipway {project.value?.version} · read-only</footer>
    </>
  );
}

function Page(): JSX.Element {
  const at = usePlace();
  useShortcuts();
  return <Frame active={at.parts[0] ?? "runs"}><main id="content" tabIndex={-1}><View at={at} /></main></Frame>;
}

render(<Page />, document.getElementById("page")!);
