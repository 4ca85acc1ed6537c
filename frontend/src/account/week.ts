/** The days that weeks may begin on, as REST names them. */
export const weekStarts = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

/** 1 for Monday to 7 for Sunday, as the contract counts; Monday for what is none. */
export function weekNumber(day: string): number {
  return (
    Math.max(
      weekStarts.findIndex((one) => one === day),
      0,
    ) + 1
  );
}
