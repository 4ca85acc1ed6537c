"use client";

import { useState } from "react";

import { ask, Refused } from "@/api/session";
import { own } from "@/live/owner";
import { useClock } from "@/time/clock";
import { timeOfDay } from "@/time/words";
import { Choice } from "@/ui/field";
import { Segments } from "@/ui/segments";
import { setTheme, useTheme } from "@/ui/theme";

import type { Me } from "./profile";
import { Section } from "./section";
import { weekNumber, weekStarts } from "./week";
import { ZoneField } from "./zone-field";

type Props = { me: Me; onChange: (me: Me) => void };

/** How time and the page look; each choice is kept at once. */
export function Preferences({ me, onChange }: Props) {
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const theme = useTheme();
  const { now } = useClock();
  const save = async (field: "time_zone" | "week_start", value: string) => {
    setWrong({});
    onChange({ ...me, [field]: value });
    try {
      const changed = await ask<Me>("PATCH", "me", { [field]: value });
      onChange(changed);
      own({ zone: changed.time_zone, weekStart: weekNumber(changed.week_start) });
    } catch (error) {
      onChange(me);
      const refused = error instanceof Refused ? error : undefined;
      setWrong({ [field]: refused?.fields[field] ?? refused?.message ?? "It could not be saved. Try again." });
    }
  };
  return (
    <Section title="Time and looks">
      <ZoneField
        value={me.time_zone}
        error={wrong.time_zone}
        hint={`It is ${timeOfDay(now, me.time_zone)} there. Recurring tasks keep the zone they were made in.`}
        onChange={(zone) => void save("time_zone", zone)}
      />
      <Choice
        label="Weeks begin on"
        value={me.week_start}
        options={weekStarts.map((day) => ({ value: day, label: day.charAt(0).toUpperCase() + day.slice(1) }))}
        error={wrong.week_start}
        hint="For calendars, and for what “this week” and “every 2 weeks” mean."
        onChange={(day) => void save("week_start", day)}
      />
      <div className="space-y-1.5">
        <p className="text-sm font-medium">Theme</p>
        <Segments
          label="Theme"
          value={theme}
          onChange={setTheme}
          options={[
            { value: "system", label: "System" },
            { value: "light", label: "Light" },
            { value: "dark", label: "Dark" },
          ]}
        />
        <p className="text-[0.8125rem] text-muted">In this browser.</p>
      </div>
    </Section>
  );
}
