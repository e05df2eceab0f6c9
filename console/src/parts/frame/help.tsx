import { Dialog } from "../dialog.tsx";

const keys: readonly (readonly [readonly string[], string])[] = [
  [["g", "d"], "Deliveries"],
  [["g", "r"], "Runs"],
  [["g", "p"], "Pull requests"],
  [["g", "a"], "Applications"],
  [["g", "o"], "Rollouts"],
  [["j"], "Next row"],
  [["k"], "Previous row"],
  [["Enter"], "Open the row"],
  [["/"], "Search this page"],
  [["Esc"], "Close, or leave the field"],
  [["?"], "This overview"],
];

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="help-keys">
        {keys.map(([sequence, meaning]) => (
          <div key={meaning}>
            <dt>
              {sequence.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
