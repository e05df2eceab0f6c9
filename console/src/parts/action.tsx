/** A button that asks the server for something; what cannot be taken back is confirmed first, a refusal is shown. */
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { postJson } from "../data/api.ts";
import { Dialog } from "./dialog.tsx";
import { Fault } from "./faults.tsx";

interface ActionProps {
  readonly label: string;
  readonly path: string;
  readonly body?: object;
  readonly tone?: "main" | "danger" | "plain";
  /** What will happen, said before it does. Without it the button acts at once. */
  readonly confirm?: ReactNode;
}

export function Action({ label, path, body, tone = "plain", confirm }: ActionProps) {
  const [asking, setAsking] = useState(false);
  const action = useMutation({
    mutationFn: async () => await postJson(path, body ?? {}),
    onSuccess: () => setAsking(false),
  });
  const className = `button${tone === "plain" ? "" : ` button-${tone}`}`;
  const close = (): void => {
    setAsking(false);
    action.reset();
  };
  return (
    <>
      <button
        type="button"
        className={className}
        disabled={action.isPending}
        onClick={() => (confirm === undefined ? action.mutate() : setAsking(true))}
      >
        {label}
      </button>
      {asking || action.error !== null ? (
        <Dialog
          title={asking ? `${label}?` : label}
          onClose={close}
          footer={
            asking ? (
              <>
                <button type="button" className="button" onClick={close}>
                  Leave it
                </button>
                <button type="button" className={className} disabled={action.isPending} onClick={() => action.mutate()}>
                  {label}
                </button>
              </>
            ) : undefined
          }
        >
          {asking ? <div>{confirm}</div> : null}
          {action.error === null ? null : <Fault error={action.error} title="This was refused" />}
        </Dialog>
      ) : null}
    </>
  );
}
