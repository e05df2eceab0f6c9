/** The browser's own modal dialog: it keeps the focus, closes on Escape and gives the focus back. */
import { type MouseEvent, type ReactNode, useEffect, useId, useRef } from "react";
import "./dialog.css";

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Buttons; the last one is the main one. */
  readonly footer?: ReactNode;
}

export function Dialog({ title, onClose, children, footer }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    ref.current?.showModal();
  }, []);
  function closeOnBackdrop(event: MouseEvent): void {
    if (event.target === ref.current) onClose();
  }
  return (
    // The dialog itself is the backdrop; keyboards have Escape for it.
    <dialog ref={ref} className="dialog" aria-labelledby={titleId} onClose={onClose} onClick={closeOnBackdrop}>
      <div className="dialog-body">
        <header>
          <h2 id={titleId}>{title}</h2>
          <button type="button" className="button button-bare" aria-label="Close" onClick={onClose}>
            <span aria-hidden="true">✕</span>
          </button>
        </header>
        {children}
        {footer === undefined ? null : <footer>{footer}</footer>}
      </div>
    </dialog>
  );
}
