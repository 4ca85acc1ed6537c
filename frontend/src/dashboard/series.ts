/** What is drawn: a number a day. */
export type Series = {
  /** What is counted, after a number: "completed". */
  name: string;
  values: readonly number[];
  tone: keyof typeof tones;
};

/** For shapes, and for the dots that explain them. */
export const tones = {
  success: { fill: "fill-success", stroke: "stroke-success", dot: "bg-success" },
  danger: { fill: "fill-danger", stroke: "stroke-danger", dot: "bg-danger" },
  accent: { fill: "fill-accent", stroke: "stroke-accent", dot: "bg-accent" },
};

export const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** The greatest height of a day: of one upon the other, if they are stacked. */
export function highest(series: readonly Series[]): number {
  const days = series[0]?.values.length ?? 0;
  let most = 0;
  for (let day = 0; day < days; day += 1) most = Math.max(most, sum(series.map(({ values }) => values[day] ?? 0)));
  return most;
}
