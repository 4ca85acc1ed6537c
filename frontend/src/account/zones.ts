import { fold } from "@/tasks/task";

/** A zone's IANA name as people read it. */
export const zoneName = (zone: string) => zone.replaceAll("_", " ");

/** The zones in whose names all words of the (folded) text occur; those to be `first` lead. */
export function findZones(zones: string[], text: string, first: string[]): string[] {
  const words = text.split(/[\s/]+/).filter(Boolean);
  const ordered = [...new Set([...first, ...zones])];
  return ordered.filter((zone) => words.every((word) => fold(zoneName(zone)).includes(word)));
}
