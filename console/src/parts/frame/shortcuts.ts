/** The keyboard. Rows, the search field and whatever closes are found by attributes, so that pages only mark them. */

export interface ShortcutActions {
  readonly go: (to: "/" | "/runs" | "/pulls" | "/applications" | "/rollouts") => void;
  readonly help: () => void;
}

/** `g` waits this long for its second key. */
const chordMs = 1200;
const places = { d: "/", r: "/runs", p: "/pulls", a: "/applications", o: "/rollouts" } as const;

export function listenForShortcuts(actions: ShortcutActions, signal: AbortSignal): void {
  let chordUntil = 0;
  function onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    // A dialog has the keyboard to itself; it closes itself on Escape.
    if (document.querySelector("dialog[open]") !== null) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") (event.target as HTMLElement).blur();
      return;
    }
    const inChord = event.timeStamp < chordUntil;
    chordUntil = 0;
    if (inChord && event.key in places) actions.go(places[event.key as keyof typeof places]);
    else if (event.key === "g") chordUntil = event.timeStamp + chordMs;
    else if (!act(event.key, actions)) return;
    event.preventDefault();
  }
  document.addEventListener("keydown", onKey, { signal });
}

function act(key: string, actions: ShortcutActions): boolean {
  switch (key) {
    case "?":
      actions.help();
      return true;
    case "/":
      return focusSearch();
    case "j":
      return moveRow(1);
    case "k":
      return moveRow(-1);
    case "Escape":
      return close();
    default:
      return false;
  }
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("input:not([type=checkbox]), textarea, select"))
  );
}

function focusSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>("input[data-search]");
  field?.focus();
  field?.select();
  return field !== null;
}

function moveRow(step: 1 | -1): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  if (rows.length === 0) return false;
  const at = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
  const next = at < 0 ? (step === 1 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[next]?.focus({ focusVisible: true });
  rows[next]?.scrollIntoView({ block: "nearest" });
  return true;
}

/** What is open and can be closed has a button marked so; else the focus goes back to the page. */
function close(): boolean {
  const button = document.querySelector<HTMLElement>("[data-close]");
  if (button !== null) button.click();
  else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  return true;
}
