/** What the demo delivers, and to whom: the shop's repositories, its Application, a working copy, its customers. */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "../client.ts";
import { applyApplication, ensureRepository } from "../scaffold/apply.ts";
import { commitAndPush, git, type GitAccess, writeFiles } from "../scaffold/git-work.ts";
import { applicationManifest, environmentFiles, examplesFolder, type Names } from "../scaffold/templates.ts";
import { type Customers, startCustomers } from "./customers.ts";

/** A working copy of the shop's repository, whose releases the server delivers to production. */
export interface Shop {
  readonly client: Client;
  readonly access: GitAccess;
  /** The working copy. */
  readonly folder: string;
  readonly repository: string;
}

export interface ShopOptions {
  readonly client: Client;
  /** Where git is found. */
  readonly searchPath: string;
  /** Of the shop's alone: takes the working copies. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

const repository = "acme/shop";
const environments = "acme/environments";

/** Describes production and opens the shop's repository, still empty: the first push is its first release. */
export async function openShop({ client, searchPath, folder, signal }: ShopOptions): Promise<Shop> {
  const access: GitAccess = { ...client.gitLogin, searchPath, signal };
  const names: Names = {
    owner: "acme",
    app: "shop",
    environments: "environments",
    registry: client.url.replace("http://", ""),
    controlUrl: client.url,
  };
  await ensureRepository(client, repository);
  await ensureRepository(client, environments);
  await describeProduction(access, names, join(folder, "environments"));
  await applyApplication(client, await applicationManifest(names));
  const copy = join(folder, "shop");
  await cp(join(examplesFolder, "shop"), copy, { recursive: true });
  await git(access, copy, ["init", "--quiet"]);
  return { client, access, folder: copy, repository };
}

async function describeProduction(access: GitAccess, names: Names, folder: string): Promise<void> {
  await writeFiles(folder, await environmentFiles(names));
  await git(access, folder, ["init", "--quiet"]);
  await commitAndPush(access, folder, environments, "Describe production");
}

export interface ShopCustomersOptions {
  readonly nodePath: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly trafficPort: number;
  readonly requestsPerSecond: number;
}

export function startShopCustomers({ trafficPort, ...options }: ShopCustomersOptions): Customers {
  return startCustomers({
    ...options,
    host: "127.0.0.1",
    port: trafficPort,
    hostHeader: "shop.production.localhost",
  });
}
