// Where one is: the fragment of the address, "#/run/3f2a?tab=cases", as parts and a query. The path of the server never
// changes, so that every address can be opened anew and kept.
import { useEffect, useState } from "preact/hooks";

export interface Place { parts: string[]; query: URLSearchParams }

function decoded(part: string): string {
  try { return decodeURIComponent(part); } catch { return part; }
}

export function place(): Place {
  const text = window.location.hash.replace(/^#\/?/, "");
  const cut = text.indexOf("?");
  const path = cut < 0 ? text : text.slice(0, cut);
  return { parts: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(cut < 0 ? "" : text.slice(cut + 1)) };
}

export function usePlace(): Place {
  const [at, setAt] = useState(place);
  useEffect(() => {
    const moved = (): void => setAt(place());
    window.addEventListener("hashchange", moved);
    return () => window.removeEventListener("hashchange", moved);
  }, []);
  return at;
}

// The same place with other values in its query; empty ones are left out. What is typed takes the place of its entry in
// the history: Back leads to the view before, not through the letters.
export function change(at: Place, values: Record<string, string>, typed = false): void {
  const query = new URLSearchParams(at.query);
  for (const [key, value] of Object.entries(values)) {
    if (value === "") query.delete(key); else query.set(key, value);
  }
  const text = query.toString();
  const hash = `#/${at.parts.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
  if (typed) window.location.replace(hash);
  else window.location.hash = hash;
}
