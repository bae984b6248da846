// What the server tells: the shapes of /api (docs/page.md), and the one way to ask for them.

export interface Proportion { passed: number; total: number; rate: number; low: number; high: number }
export interface Report {
  exact_match: Proportion;
  valid_calls: Proportion;
  cached: number;
  computed: number;
  latency_p50_ms?: number;
  latency_p95_ms?: number;
  tokens_per_case: number;
  calls?: { function_accuracy: Proportion; argument_f1: number; no_call_precision: Proportion; no_call_recall: Proportion };
  tags?: (Proportion & { tag: string })[];
}
export type Figures = Record<string, number | null>;
export interface RunLine {
  id: string; experiment: string; kind: string; name: string; parent_id: string; status: string;
  start_ms: number; end_ms: number; error: string; candidate: string; candidate_name: string; model: string;
  dataset: string; split: string; figures: Figures;
}
export interface RunTable { runs: RunLine[]; more: boolean; searched: number; complete: boolean; found: number | null }
export interface Run extends RunLine {
  inputs: unknown; environment: unknown; params: Record<string, string>; tags: Record<string, string>;
  cases: number; report: Report | null; children: RunLine[]; traces: number; candidate_parts?: Record<string, unknown>;
}
export interface Curve { key: string; points: number; steps: number[]; values: (number | null)[] }
export interface Curves { status: string; curves: Curve[] }
export interface Case {
  index: number; example_id: string; input: string; passed: boolean; output: string; expected: string; reason: string;
  cached: boolean; latency_ms: number | null; tags: string[];
}
export interface Cases { found: number; cases: Case[] }
export interface Change { part: string; before: string; after: string }
export interface Flip {
  example: string; input: string; first_passed: boolean; expected: string; first_output: string; second_output: string;
}
export interface Comparison {
  both: number; only_first: number; only_second: number; neither: number; unmatched: number; rows: number;
  difference_low: number; difference_high: number; p_value: number; same_rows: boolean;
  flips: Flip[]; changed: Change[]; first: RunLine & { report: Report | null }; second: RunLine & { report: Report | null };
}
export interface TraceLine {
  trace_id: string; name: string; input: string; reply: string; start_ms: number; took_ms: number; spans: number; ok: boolean;
}
export interface Traces { found: number; traces: TraceLine[] }
export interface Span {
  id: string; parent: string; name: string; start_ms: number; end_ms: number; ok: boolean; message: string;
  attributes: [string, string | number | boolean | null][];
}
export interface Trace extends Omit<TraceLine, "spans"> { unix_ms: number; all: boolean; spans: Span[] }
export interface Effect {
  rows: number; change: number; low: number; high: number; p_value: number; only_before: number; only_after: number;
}
export interface Entry {
  unix_ms: number; kind: string; title: string; note: string; run_id: string; status: string; candidate: string;
  candidate_name: string; dataset: string; changed: Change[]; against_run: string; against_name: string;
  effect: Effect | null; figures: Figures;
}
export interface Notebook { entries: Entry[]; more: boolean }
export interface PromptVersion {
  id: string; number: number; created_ms: number; source: string; runs: (RunLine & { exact_match: number | null })[];
}
export interface Prompts { prompts: { name: string; versions: PromptVersion[] }[] }
export interface Project { project: string; version: string; aliases: Record<string, string> }

export class Refused extends Error {
  constructor(message: string, readonly status: number) { super(message); }
}

// Off loopback the server wants a token; it lives as long as the tab.
const tokenKey = "slipway-token";
export const hasToken = (): boolean => Boolean(sessionStorage.getItem(tokenKey));

// False, and none is kept, when it is nothing that a header can carry.
export function setToken(token: string): boolean {
  sessionStorage.removeItem(tokenKey);
  if (!/^[\x20-\x7e]+$/.test(token)) return false;
  sessionStorage.setItem(tokenKey, token);
  return true;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  const token = sessionStorage.getItem(tokenKey);
  if (token) headers.Authorization = `Bearer ${token}`;
  let response: Response;
  try {
    response = await fetch(`/api/${path}`, { headers, signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused("The server does not answer. Is `slipway serve` running?", 0);
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body as T;
  const detail = body?.error;
  const message = detail?.message ? `${detail.message}${detail.hint ? `; ${detail.hint}` : ""}` : `The server answered ${response.status}.`;
  throw new Refused(message, response.status);
}
