/** One row a commit, on its way to production from left to right. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { DeliveryView } from "#api";
import { deliveriesQuery } from "../../data/queries.ts";
import { Empty, Fault, Placeholder } from "../../parts/faults.tsx";
import { matchesSearch, PageHead, SearchField, useTitle } from "../../parts/layout.tsx";
import { DeliveryRow } from "./delivery-row.tsx";
import "./deliveries.css";

const route = getRouteApi("/");

export function DeliveriesPage() {
  useTitle("Deliveries");
  const { q = "", open } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error } = useQuery(deliveriesQuery);
  const show = (id: string | undefined): void =>
    void navigate({ search: (old) => ({ ...old, open: id }), replace: true, resetScroll: false });
  return (
    <div className="page">
      <PageHead
        title="Deliveries"
        below={<span>Every commit on its way to production</span>}
        actions={
          <SearchField
            label="Search deliveries"
            value={q}
            onChange={(value) =>
              void navigate({ search: (old) => ({ ...old, q: value === "" ? undefined : value }), replace: true })
            }
          />
        }
      />
      {data !== undefined ? (
        <Deliveries deliveries={data} search={q} open={open} onOpen={show} />
      ) : error === null ? (
        <Placeholder rows={6} height={84} />
      ) : (
        <Fault error={error} />
      )}
    </div>
  );
}

interface DeliveriesProps {
  readonly deliveries: readonly DeliveryView[];
  readonly search: string;
  readonly open: string | undefined;
  readonly onOpen: (id: string | undefined) => void;
}

function Deliveries({ deliveries, search, open, onOpen }: DeliveriesProps) {
  if (deliveries.length === 0) return <FirstDelivery />;
  const found = deliveries.filter((delivery) =>
    matchesSearch(search, delivery.message, delivery.sha, delivery.repository, delivery.author, delivery.outcome),
  );
  if (found.length === 0) return <Empty title={`No delivery matches “${search}”`} />;
  return (
    <div>
      <div className="delivery-columns" aria-hidden="true">
        <span>Commit</span>
        <ol>
          <li>Build</li>
          <li>Image</li>
          <li>Environment</li>
          <li>Canary</li>
          <li>Production</li>
        </ol>
        <span>Traffic</span>
      </div>
      <ol className="deliveries" aria-label="Deliveries, newest first">
        {found.map((delivery) => (
          <DeliveryRow
            key={delivery.id}
            delivery={delivery}
            open={delivery.id === open}
            onToggle={() => onOpen(delivery.id === open ? undefined : delivery.id)}
          />
        ))}
      </ol>
    </div>
  );
}

function FirstDelivery() {
  return (
    <Empty title="Nothing has been delivered yet">
      <p>
        Push a commit with a workflow to the default branch of a repository here, and it shows up on this page while it
        is being built.
      </p>
      <pre>git push {location.origin}/&lt;owner&gt;/&lt;repository&gt;.git main</pre>
    </Empty>
  );
}
