import type { DatabaseSync } from "node:sqlite";

/** All of what `work` does to the database, or, when it throws, nothing. @throws what it throws, and "database is locked". */
export function inTransaction<Result>(db: DatabaseSync, work: () => Result): Result {
  db.exec("begin immediate");
  try {
    const result = work();
    db.exec("commit");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("rollback");
    throw error;
  }
}
