/** The labels of a repository. */
import { ForgeError, invalid, notFound } from "./errors.ts";
import { labelView, type LabelView } from "./issue-rows.ts";
import type { ForgeDatabase, LabelRow } from "./schema.ts";

export interface LabelChange {
  readonly name?: string | undefined;
  readonly color?: string | undefined;
  readonly description?: string | null | undefined;
}

export class Labels {
  readonly #db: ForgeDatabase;

  constructor(db: ForgeDatabase) {
    this.#db = db;
  }

  async list(repositoryId: string): Promise<readonly LabelView[]> {
    const rows = this.#db.selectFrom("forge_labels").selectAll().where("repository_id", "=", repositoryId);
    return (await rows.orderBy("name").execute()).map(labelView);
  }

  async get(repositoryId: string, name: string): Promise<LabelView | undefined> {
    const row = await this.#row(repositoryId, name);
    return row === undefined ? undefined : labelView(row);
  }

  async create(repositoryId: string, change: LabelChange & { readonly name: string }): Promise<LabelView> {
    checkLabel(change);
    if ((await this.#row(repositoryId, change.name)) !== undefined) throw existsAlready(change.name);
    const color = (change.color ?? "ededed").replace(/^#/, "");
    const values = { repository_id: repositoryId, name: change.name, color, description: change.description ?? null };
    const { insertId } = await this.#db.insertInto("forge_labels").values(values).executeTakeFirstOrThrow();
    return labelView({ ...values, id: Number(insertId) });
  }

  async update(repositoryId: string, name: string, change: LabelChange): Promise<LabelView> {
    checkLabel(change);
    const row = await this.#require(repositoryId, name);
    const other = change.name === undefined ? undefined : await this.#row(repositoryId, change.name);
    if (other !== undefined && other.id !== row.id) throw existsAlready(change.name ?? "");
    const values = {
      name: change.name ?? row.name,
      color: (change.color ?? row.color).replace(/^#/, ""),
      description: change.description === undefined ? row.description : change.description,
    };
    await this.#db.updateTable("forge_labels").set(values).where("id", "=", row.id).execute();
    return labelView({ ...row, ...values });
  }

  async delete(repositoryId: string, name: string): Promise<void> {
    const { id } = await this.#require(repositoryId, name);
    await this.#db.deleteFrom("forge_labels").where("id", "=", id).execute();
  }

  async #require(repositoryId: string, name: string): Promise<LabelRow> {
    const row = await this.#row(repositoryId, name);
    if (row === undefined) throw notFound(`label "${name}"`);
    return row;
  }

  async #row(repositoryId: string, name: string): Promise<LabelRow | undefined> {
    return await this.#db
      .selectFrom("forge_labels")
      .selectAll()
      .where("repository_id", "=", repositoryId)
      .where("name", "=", name)
      .executeTakeFirst();
  }
}

function existsAlready(name: string): ForgeError {
  const message = `Label "${name}" exists already`;
  return new ForgeError("forge/exists", message, {
    details: [{ resource: "Label", field: "name", code: "already_exists" }],
  });
}

function checkLabel({ name, color, description }: LabelChange): void {
  if (name !== undefined && (name.trim() === "" || name.length > 50)) {
    throw invalid("Label", "name", "Label has 1 to 50 characters");
  }
  if (color !== undefined && !/^#?[0-9a-f]{6}$/i.test(color)) {
    throw invalid("Label", "color", "Color is six hexadecimal digits, e.g. d73a4a");
  }
  if ((description ?? "").length > 100) {
    throw invalid("Label", "description", "Description is too long (maximum is 100 characters)");
  }
}
