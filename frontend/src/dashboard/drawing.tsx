"use client";

// Of visx (15 kB compressed) only scales and shapes: they are SVG, so that the tokens colour them. recharts is 97 kB; uPlot
// (21 kB) and chart.js (50 kB) draw on a canvas, which knows neither tokens nor the elements that assistive tools read.
import { scaleBand, scaleLinear } from "@visx/scale";
import { AreaClosed, Bar, LinePath } from "@visx/shape";
import clsx from "clsx";

import type { Clock } from "@/time/clock";
import { dayMonth } from "@/time/words";

import { highest, tones, type Series } from "./series";

export const HEIGHT = 176;
const TOP = 8;
const BOTTOM = 22;
const LEFT = 30;
/** What a day's label needs, in pixels. */
const LABEL = 64;

type Props = {
  kind: "bars" | "area";
  width: number;
  days: number[];
  series: Series[];
  clock: Clock;
  cursor: number | undefined;
  onCursor: (day: number | undefined) => void;
};

/** A chart's lines and areas. */
export function Drawing({ kind, width, days, series, clock, cursor, onCursor }: Props) {
  const x = scaleBand({ domain: days.map((_, day) => day), range: [LEFT, width], padding: kind === "bars" ? 0.25 : 0 });
  const y = scaleLinear({ domain: [0, Math.max(highest(series), 4)], range: [HEIGHT - BOTTOM, TOP], nice: 4 });
  const every = Math.ceil((days.length * LABEL) / Math.max(width - LEFT, LABEL));
  const center = (day: number) => (x(day) ?? 0) + x.bandwidth() / 2;
  return (
    <svg width={width} height={HEIGHT} aria-hidden className="block" onPointerLeave={() => onCursor(undefined)}>
      {y.ticks(4).map((tick) => (
        <g key={tick}>
          <line x1={LEFT} x2={width} y1={y(tick)} y2={y(tick)} className="stroke-line" />
          <text
            x={LEFT - 8}
            y={y(tick)}
            dy="0.32em"
            textAnchor="end"
            className="fill-muted text-[0.6875rem] tabular-nums"
          >
            {tick.toLocaleString(undefined, { notation: "compact" })}
          </text>
        </g>
      ))}
      {cursor !== undefined && (
        <rect
          x={center(cursor) - x.step() / 2}
          y={TOP}
          width={x.step()}
          height={HEIGHT - BOTTOM - TOP}
          className="fill-hover"
        />
      )}
      {kind === "bars" ? (
        <Bars days={days} series={series} x={x} y={y} />
      ) : (
        <Area series={series[0]} center={center} y={y} />
      )}
      {days.map((at, day) => (
        <g key={at}>
          {(days.length - 1 - day) % every === 0 && (
            <text
              x={day === days.length - 1 ? width : center(day)}
              y={HEIGHT - 5}
              textAnchor={day === days.length - 1 ? "end" : "middle"}
              className={clsx("text-[0.6875rem]", day === cursor ? "fill-ink" : "fill-muted")}
            >
              {dayMonth(at, clock)}
            </text>
          )}
          <rect
            x={center(day) - x.step() / 2}
            width={x.step()}
            height={HEIGHT}
            fill="transparent"
            onPointerMove={() => onCursor(day)}
          />
        </g>
      ))}
    </svg>
  );
}

type X = ReturnType<typeof scaleBand<number>>;
type Y = ReturnType<typeof scaleLinear<number>>;

/** Bars, one series upon the other. */
function Bars({ days, series, x, y }: { days: number[]; series: Series[]; x: X; y: Y }) {
  return days.map((at, day) => {
    let under = 0;
    return series.map(({ name, values, tone }) => {
      const value = values[day] ?? 0;
      const [bottom, top] = [y(under), y(under + value)];
      under += value;
      if (value === 0) return null;
      const key = `${at}-${name}`;
      return (
        <Bar
          key={key}
          x={x(day)}
          y={top}
          width={x.bandwidth()}
          height={bottom - top}
          rx={2}
          className={tones[tone].fill}
        />
      );
    });
  });
}

function Area({ series, center, y }: { series: Series | undefined; center: (day: number) => number; y: Y }) {
  if (!series) return null;
  const { fill, stroke } = tones[series.tone];
  const shape = {
    data: [...series.values],
    x: (_: number, day: number) => center(day),
    y: (value: number) => y(value),
  };
  return (
    <>
      <AreaClosed {...shape} yScale={y} className={clsx(fill, "opacity-20")} />
      <LinePath {...shape} className={clsx(stroke, "fill-none stroke-2")} />
    </>
  );
}
