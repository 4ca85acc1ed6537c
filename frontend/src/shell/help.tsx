import { Dialog } from "@/ui/dialog";
import { Kbd } from "@/ui/kbd";

const sections: { title: string; keys: [keys: string[], does: string][] }[] = [
  {
    title: "Anywhere",
    keys: [
      [["Ctrl K"], "Search, go and do"],
      [["N"], "Add a task"],
      [["/"], "Search"],
      [["G", "T"], "Go to Today"],
      [["G", "U"], "Go to Upcoming"],
      [["G", "O"], "Go to Overdue"],
      [["G", "A"], "Go to All tasks"],
      [["G", "D"], "Go to Completed"],
      [["G", "C"], "Go to Chat"],
      [["G", "B"], "Go to the dashboard"],
      [["Z"], "Undo the last change"],
      [["?"], "These keys"],
    ],
  },
  {
    title: "In the chat",
    keys: [
      [["Enter"], "Send"],
      [["Shift Enter"], "A new line"],
      [["Esc"], "Leave the message box"],
      [["N"], "New chat"],
    ],
  },
  {
    title: "In a list",
    keys: [
      [["J"], "Next task"],
      [["K"], "Previous task"],
      [["Enter"], "Open"],
      [["E"], "Complete or reopen"],
      [["X"], "Choose, for several at once"],
      [["1", "2", "3"], "Priority high, medium, low"],
      [["T"], "Due today"],
      [["M"], "Move to another day"],
      [["Delete"], "Delete"],
      [["Esc"], "Close, or choose none"],
    ],
  },
];

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog open onClose={onClose} title="Keys">
      <div className="grid gap-6 sm:grid-cols-2">
        {sections.map(({ title, keys }) => (
          <section key={title}>
            <h3 className="mb-2 text-sm font-medium text-muted">{title}</h3>
            <dl className="space-y-1.5 text-sm">
              {keys.map(([combination, does]) => (
                <div key={does} className="flex items-center justify-between gap-4">
                  <dt>{does}</dt>
                  <dd className="flex gap-1">
                    {combination.map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
