import type { RolloutDetail, RolloutRevisionView } from "#api";
import { Mark } from "../../parts/mark.tsx";
import { phaseState } from "../../parts/states.ts";
import { Ago } from "../../parts/time.tsx";
import { plural, shortImage } from "../../parts/words.ts";

export function Revisions({ rollout }: { rollout: RolloutDetail }) {
  return (
    <section className="revisions" aria-label="Revisions">
      <h2>Revisions</h2>
      <ol className="rows" aria-label="Revisions, newest first">
        {rollout.revisions.map((revision) => (
          <li key={revision.podHash}>
            <Revision revision={revision} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Revision({ revision }: { revision: RolloutRevisionView }) {
  const { roles, images, podHash, desired, ready, createdAt, pods } = revision;
  return (
    <div className={`rows-row revision${desired === 0 ? " revision-gone" : ""}`}>
      <div className="rows-main">
        <span className="rows-title">
          Revision {revision.revision}
          {roles.map((role) => (
            <span key={role} className={`role role-${role}`}>
              {role}
            </span>
          ))}
        </span>
        <span className="rows-sub">
          <code>{podHash}</code>
          <Ago at={createdAt} />
        </span>
      </div>
      <span className="clip" title={images.join("\n")}>
        {images.map(shortImage).join(", ")}
      </span>
      <span className="quiet">{desired === 0 ? "scaled down" : `${ready} of ${plural(desired, "pod")} ready`}</span>
      <ul className="pods">
        {pods.map((pod) => (
          <li key={pod.name} title={`${pod.name}: ${pod.phase}`}>
            <Mark
              state={pod.phase === "Running" && pod.ready ? "done" : phaseState(pod.phase)}
              label={pod.phase}
              size={14}
            />
            <span className="clip">{pod.name}</span>
            {pod.restarts === 0 ? null : <span className="pods-restarts">{plural(pod.restarts, "restart")}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
