// One curve over the steps, drawn by uPlot. Colours are the page's; they follow the light of the system.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Curve } from "./api";
import { figure } from "./format";

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const whole = [1, 2, 5].flatMap((n) => Array.from({ length: 12 }, (_, i) => n * 10 ** i)).sort((a, b) => a - b);  // steps are whole
const font = "11px system-ui, sans-serif";

// A single-valued stretch would have no height.
function range(_: uPlot, low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const margin = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1;
  return [low - margin, high + margin];
}

function options(width: number, { key, steps }: Curve, onCursor: (index: number | null) => void): uPlot.Options {
  const axis = { stroke: colour("--quiet"), font, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  return {
    width,
    height: 170,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: { x: { time: false }, y: { range } },
    axes: [{ ...axis, size: 28, incrs: whole }, { ...axis, size: 52, values: (_, ticks) => ticks.map((tick) => figure(key, tick)) }],
    series: [{}, { stroke: colour("--accent"), width: 1.6, points: { show: steps.length <= 20, size: 6, fill: colour("--accent") }, spanGaps: false }],
    hooks: { setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)] },
  };
}

export function CurveChart({ curve }: { curve: Curve }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(curve);
  latest.current = curve;
  const [at, setAt] = useState<number | null>(null);
  const data = (): uPlot.AlignedData => [latest.current.steps, latest.current.values];
  useEffect(() => {
    const element = box.current!;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(options(element.clientWidth, latest.current, setAt), data(), element);
    };
    draw();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: 170 }));
    resized.observe(element);
    const light = window.matchMedia("(prefers-color-scheme: dark)");
    light.addEventListener("change", draw);
    return () => { resized.disconnect(); light.removeEventListener("change", draw); plot.current?.destroy(); plot.current = null; };
  }, [curve.key]);
  useEffect(() => plot.current?.setData(data()), [curve]);
  const last = curve.values.length - 1;
  const shown = at !== null && at <= last ? at : last;
  return (
    <figure class="curve">
      <figcaption><b>{curve.key}</b><span class="num">{figure(curve.key, curve.values[shown] ?? null)} <span class="quiet">at step {curve.steps[shown]}</span></span></figcaption>
      <div ref={box} role="img" aria-label={`${curve.key}: ${curve.points} points, last ${figure(curve.key, curve.values[last] ?? null)}`} />
    </figure>
  );
}
