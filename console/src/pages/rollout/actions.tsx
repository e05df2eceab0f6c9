import type { ReactNode } from "react";
import type { RolloutAction, RolloutDetail } from "#api";
import { Action } from "../../parts/action.tsx";

interface ActionText {
  readonly label: string;
  readonly tone?: "main" | "danger";
  readonly confirm?: ReactNode;
}

const texts: Readonly<Record<RolloutAction, ActionText>> = {
  promote: { label: "Promote", tone: "main" },
  "promote-full": {
    label: "Promote fully",
    confirm: "The remaining steps and analyses are passed over: the newest revision gets all of the traffic at once.",
  },
  abort: {
    label: "Abort",
    tone: "danger",
    confirm:
      "All traffic goes back to the stable revision now. The newest revision stays where it is until you retry or undo.",
  },
  retry: { label: "Retry", tone: "main" },
  undo: {
    label: "Undo",
    tone: "danger",
    confirm:
      "The previous revision becomes the wanted one and goes through the steps. An application that heals itself puts back what its repository says.",
  },
  pause: { label: "Pause" },
  resume: { label: "Resume", tone: "main" },
  restart: { label: "Restart pods", confirm: "Every pod is replaced, one after the other." },
};

/** What the server says makes sense now, the main one last. */
export function Actions({ rollout }: { rollout: RolloutDetail }) {
  const base = `/rollouts/${rollout.namespace}/${rollout.name}`;
  const { actions } = rollout;
  // Both would go on from a pause; one main button is enough.
  const paused = actions.includes("resume");
  return [...actions]
    .sort((a, b) => rank(a) - rank(b))
    .map((action) => {
      const { label, tone, confirm } = texts[action];
      const main = tone === "main" && !(paused && action === "promote");
      return (
        <Action
          key={action}
          label={label}
          path={`${base}/${action}`}
          tone={main ? "main" : tone === "danger" ? "danger" : "plain"}
          {...(confirm === undefined ? {} : { confirm })}
        />
      );
    });
}

const ranks: readonly RolloutAction[] = [
  "restart",
  "undo",
  "abort",
  "pause",
  "promote-full",
  "promote",
  "retry",
  "resume",
];

function rank(action: RolloutAction): number {
  return ranks.indexOf(action);
}
