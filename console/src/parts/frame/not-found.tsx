import { Link } from "@tanstack/react-router";
import { Empty } from "../faults.tsx";

export function NotFound() {
  return (
    <Empty title="There is no such page">
      <p>
        The address may be old. <Link to="/">Go to the deliveries</Link>
      </p>
    </Empty>
  );
}
