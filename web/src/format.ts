// How figures, times and ids are written for people.

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export const interval = (low: number, high: number): string => `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)} %`;

export const points = (share: number): string => {
  const value = (100 * share).toFixed(1);
  return `${share > 0 ? "+" : ""}${value.replace("-", "−")}`;
};

export const shortId = (id: string): string => id.slice(0, 8);

export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${String(seconds % 60).padStart(2, "0")}s`;
  return `${Math.floor(minutes / 60)}h ${String(minutes % 60).padStart(2, "0")}m`;
}

const two = (n: number): string => String(n).padStart(2, "0");

export function when(ms: number): string {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}`;
}

export function number(value: number | null): string {
  if (value === null) return "not a number";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e6)) return Number(value.toPrecision(4)).toExponential();
  return value.toLocaleString("en", { maximumFractionDigits: size < 1 ? 4 : 2 });
}

// A share between 0 and 1 by its name; others are shown as they are.
const shares = /^(exact_match|valid_rate|function_accuracy|argument_f1|no_call_|dev_exact_match|difference_|power$)/;
export const figure = (key: string, value: number | null): string =>
  value !== null && shares.test(key) && Math.abs(value) <= 1 ? percent(value) : number(value);

export const count = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
