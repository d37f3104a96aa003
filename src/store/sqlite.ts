/**
 * The store on node:sqlite: one file, write-ahead log, every commit synced to the disk before it is answered.
 *
 * Invariants: one process has the file; transactions run one after another on one connection; a body that throws leaves
 * nothing. A file written by a newer Enclume is refused, never guessed at.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { openDatabase } from '#base/database'
import { Conflict, Full, type Event, type Query, type Row, type Store, type Token, type Tx } from '#store/store'

/**
 * Each entry takes the file one version on. Entries are never changed once landed, only added: also where it is the records alone that have
 * another form (test/upgrade/shapes.ts), for an Enclume that does not know that form must not open them.
 */
const migrations = [
  `create table record (kind text, id text, account text, region text, generation integer, created text, spec text, status text, tags text,
     primary key (kind, id)) strict, without rowid;
   create index record_by_owner on record (kind, account, region, id);
   create table claim (scope text, key text, owner text not null, primary key (scope, key)) strict, without rowid;
   create index claim_by_owner on claim (owner);
   create table token (account text, region text, operation text, token text, hash text, response text, created text,
     primary key (account, region, operation, token)) strict, without rowid;
   create table event (seq integer primary key autoincrement, kind text, id text, name text, time text) strict;`,
  '', // MFA devices tell what their clocks say.
]
export const VERSION = migrations.length
/**
 * Made where they lack, without a version: they change nothing but the time that questions take, and an Enclume that knows nothing of one
 * does well with it.
 */
const STATE = `json_extract(status, '$.state')`
const indexes = `create index if not exists record_by_state on record (kind, ${STATE}, id)`
/** Events are kept for readers that fell behind, not for ever. */
const EVENTS_KEPT = 100_000

/** SQLite's own code, and that of a write that the file system refused (sqlite.org/rescode.html: SQLITE_FULL, SQLITE_IOERR_WRITE). */
const isFull = (error: unknown): boolean => [13, 778].includes((error as { errcode?: number }).errcode ?? 0)

type Stored = Record<string, string>
const decode = (r: Stored | undefined) =>
  r && { ...r, spec: JSON.parse(r.spec!), status: JSON.parse(r.status!), tags: JSON.parse(r.tags!) }

/** `known`: the last version that is understood. */
export function openSqlite(file: string, now: () => Date = () => new Date(), known = VERSION): Store {
  const db = openDatabase(file, { steps: migrations.slice(0, known), sync: 'full' })
  db.exec(indexes)
  return new Sqlite(db, now)
}

class Sqlite implements Store {
  readonly #db: DatabaseSync
  readonly #now: () => Date
  readonly #prepared = new Map<string, StatementSync>()
  readonly #watchers = new Set<(events: Event[]) => void>()
  #tail: Promise<unknown> = Promise.resolve()
  #written: Event[] = []

  constructor(db: DatabaseSync, now: () => Date) {
    this.#db = db
    this.#now = now
  }

  #sql(text: string): StatementSync {
    let statement = this.#prepared.get(text)
    if (!statement) this.#prepared.set(text, (statement = this.#db.prepare(text)))
    return statement
  }

  transact<T>(body: (tx: Tx) => Promise<T>): Promise<T> {
    const run = async (): Promise<T> => {
      this.#written = []
      let result: T
      try {
        this.#db.exec('begin immediate')
        result = await body(this.#tx)
        this.#db.exec('commit')
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('rollback') // SQLite may have done so already, as where the disk is full.
        throw isFull(error) ? new Full(error) : error
      }
      const written = this.#written
      if (written.length > 0) for (const watcher of this.#watchers) watcher(written)
      return result
    }
    const next = this.#tail.then(run, run)
    this.#tail = next.catch(() => {})
    return next
  }

  // Between the awaits of a transaction's body another caller may read: it sees the open transaction's writes, as the
  // connection is one. Reads outside therefore wait for the transaction before them.
  async get<R extends Row>(kind: string, id: string): Promise<R | undefined> { await this.#tail; return this.#get(kind, id) }
  async list<R extends Row>(query: Query): Promise<R[]> { await this.#tail; return this.#list(query) }
  async getAll<R extends Row>(kind: string, ids: readonly string[]): Promise<R[]> { await this.#tail; return this.#getAll(kind, ids) }
  async holder(scope: string, key: string): Promise<string | undefined> { await this.#tail; return this.#holder(scope, key) }
  async claims(scope: string): Promise<Map<string, string>> { await this.#tail; return this.#claims(scope) }

  watch(callback: (events: Event[]) => void): () => void {
    this.#watchers.add(callback)
    return () => this.#watchers.delete(callback)
  }

  async events({ after, limit }: { after: number; limit: number }): Promise<Event[]> {
    await this.#tail
    return this.#sql('select * from event where seq > ? order by seq limit ?').all(after, limit) as Event[]
  }

  async close(): Promise<void> {
    await this.#tail
    this.#db.close()
  }

  #get<R>(kind: string, id: string): R | undefined {
    return decode(this.#sql('select * from record where kind = ? and id = ?').get(kind, id) as Stored | undefined) as R | undefined
  }

  #getAll<R>(kind: string, ids: readonly string[]): R[] {
    return ids.map(id => this.#get<R>(kind, id)).filter(row => row !== undefined)
  }

  #list<R>({ kind, account, region, state, after, limit = -1 }: Query): R[] {
    const wanted = { 'kind = ?': kind, 'account = ?': account, 'region = ?': region, [`${STATE} = ?`]: state, 'id > ?': after }
    const given = Object.entries(wanted).filter((entry): entry is [string, string] => entry[1] !== undefined)
    // Without statistics SQLite would rather read all of a kind.
    const by = state === undefined ? '' : 'indexed by record_by_state'
    const rows = this.#sql(`select * from record ${by} where ${given.map(([test]) => test).join(' and ')} order by id limit ?`)
      .all(...given.map(([, value]) => value), limit)
    return rows.map(row => decode(row as Stored) as R)
  }

  #holder(scope: string, key: string): string | undefined {
    return (this.#sql('select owner from claim where scope = ? and key = ?').get(scope, key) as { owner: string } | undefined)?.owner
  }

  #claims(scope: string): Map<string, string> {
    const rows = this.#sql('select key, owner from claim where scope = ?').all(scope) as { key: string; owner: string }[]
    return new Map(rows.map(r => [r.key, r.owner]))
  }

  #event(kind: string, id: string, name: string): void {
    const time = this.#now().toISOString()
    const { lastInsertRowid } = this.#sql('insert into event (kind, id, name, time) values (?,?,?,?)').run(kind, id, name, time)
    const seq = Number(lastInsertRowid)
    if (seq % 1000 === 0) this.#sql('delete from event where seq <= ?').run(seq - EVENTS_KEPT)
    this.#written.push({ seq, kind, id, name, time })
  }

  readonly #tx: Tx = {
    get: async (kind, id) => this.#get(kind, id),
    list: async query => this.#list(query),
    getAll: async (kind, ids) => this.#getAll(kind, ids),
    holder: async (scope, key) => this.#holder(scope, key),
    claims: async scope => this.#claims(scope),
    put: async (row, event) => this.#put(row, event),
    remove: async (row, event = 'removed') => {
      this.#sql('delete from record where kind = ? and id = ?').run(row.kind, row.id)
      this.#sql('delete from claim where owner = ?').run(row.id)
      this.#event(row.kind, row.id, event)
    },
    claim: async (scope, key, owner) => {
      this.#sql('insert or ignore into claim values (?,?,?)').run(scope, key, owner)
      return this.#holder(scope, key) === owner
    },
    release: async (scope, key) => { this.#sql('delete from claim where scope = ? and key = ?').run(scope, key) },
    token: async (account, region, operation, token) => {
      const found = this.#sql('select * from token where account = ? and region = ? and operation = ? and token = ?')
        .get(account, region, operation, token) as Stored | undefined
      return found && { operation, token, hash: found.hash!, response: found.response!, created: found.created! }
    },
    putToken: async (account, region, t: Token) => {
      this.#sql('insert into token values (?,?,?,?,?,?,?)')
        .run(account, region, t.operation, t.token, t.hash, t.response, t.created)
    },
    forgetTokens: async before => { this.#sql('delete from token where created < ?').run(before) },
  }

  #put<R extends Row>(row: R, event: string): R {
    const { kind, id, account, region, created } = row
    const values = [JSON.stringify(row.spec), JSON.stringify(row.status), JSON.stringify(row.tags)] as const
    if (row.generation === 0) {
      const { changes } = this.#sql('insert or ignore into record values (?,?,?,?,1,?,?,?,?)')
        .run(kind, id, account, region, created, ...values)
      if (changes !== 1) throw new Conflict(kind, id)
    } else {
      const { changes } = this.#sql(`update record set generation = generation + 1, spec = ?, status = ?, tags = ?
        where kind = ? and id = ? and generation = ?`).run(...values, kind, id, row.generation)
      if (changes !== 1) throw new Conflict(kind, id)
    }
    this.#event(kind, id, event)
    return { ...row, generation: row.generation + 1 }
  }
}
