/** Tables of the object store. One row of `revision` says how far the store had come when the log was cut, and up to where. */
export const schemaSql = `
CREATE TABLE IF NOT EXISTS revision (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  current   INTEGER NOT NULL,
  compacted INTEGER NOT NULL
);
INSERT OR IGNORE INTO revision (id, current, compacted) VALUES (1, 0, 0);

CREATE TABLE IF NOT EXISTS objects (
  resource  TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name      TEXT NOT NULL,
  body      TEXT NOT NULL,
  PRIMARY KEY (resource, namespace, name)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS watch_log (
  revision  INTEGER PRIMARY KEY,
  at_ms     INTEGER NOT NULL,
  resource  TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name      TEXT NOT NULL,
  body      TEXT,
  previous  TEXT
);
CREATE INDEX IF NOT EXISTS watch_log_resource ON watch_log (resource, revision);
`;

/**
 * journal_mode WAL with synchronous NORMAL: a commit survives a killed process. locking_mode EXCLUSIVE: the objects are
 * cached in memory, so a second process on the same file would serve and write stale state; it is refused instead.
 */
export const pragmasSql = `
PRAGMA locking_mode=EXCLUSIVE;
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
PRAGMA busy_timeout=2000;
`;

/** The log always holds the newest change, so a write need not say again how far the store has come. */
export const newestRevisionSql = `
SELECT max(current, coalesce((SELECT max(revision) FROM watch_log), 0)) AS current, compacted FROM revision
`;
