/** A share of the traffic as a bar: yellow while it is a canary, the accent once it is all that serves. */
export function Share({ weight, canary, of }: { weight: number; canary: boolean; of: string }) {
  return (
    <div
      className={canary ? "share share-canary" : "share"}
      role="meter"
      aria-label={`Traffic of ${of}`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={weight}
      aria-valuetext={`${weight} % of traffic`}
    >
      <div className="share-bar">
        <i style={{ transform: `scaleX(${weight / 100})` }} />
      </div>
      <span className="share-text">{weight} %</span>
    </div>
  );
}
