/**
 * The store's interface: records, claims, tokens and events. Every implementation passes store.suite.ts.
 *
 * Invariants: a transaction is all or nothing and durable when `transact` returns; transactions run one at a time, so a
 * body sees no other's writes; a body awaits nothing but its own transaction (no I/O inside).
 */
export type Row<Spec = unknown, Status = unknown> = {
  kind: string
  id: string
  account: string
  region: string
  /** Counts the writes of this row, from 1. A write names the generation it read. */
  generation: number
  /** ISO 8601, when the row was first written. */
  created: string
  /** What is wanted. */
  spec: Spec
  /** What is known. */
  status: Status
  tags: Record<string, string>
}

export type Query = {
  kind: string
  account?: string
  region?: string
  /** Those whose status has this `state`. */
  state?: string
  /** Ids after this one, in the order of ids. */
  after?: string
  limit?: number
}

/** An answered request with a client token: the hash of what was asked, and the answer in the caller's own encoding. */
export type Token = { operation: string; token: string; hash: string; response: string; created: string }
export type Event = { seq: number; kind: string; id: string; name: string; time: string }

/** A row was written since it was read. The caller reads again. */
export class Conflict extends Error {
  constructor(kind: string, id: string) {
    super(`${kind} ${id} was written by another`)
    this.name = 'Conflict'
  }
}

/** There is no room to write. What was committed before stands, and reading goes on. */
export class Full extends Error {
  constructor(cause: unknown) {
    super('the disk that holds the records is full', { cause })
    this.name = 'Full'
  }
}

/** Reading. Outside a transaction each call sees the newest committed state. */
export type Reader = {
  get<R extends Row>(kind: string, id: string): Promise<R | undefined>
  list<R extends Row>(query: Query): Promise<R[]>
  /** The rows of these ids that there are, in the order asked. */
  getAll<R extends Row>(kind: string, ids: readonly string[]): Promise<R[]>
  /** Who holds a claim, if anybody does. */
  holder(scope: string, key: string): Promise<string | undefined>
  /** All claims of a scope, key -> owner. */
  claims(scope: string): Promise<Map<string, string>>
}

export type Tx = Reader & {
  /**
   * Writes a row and its event; the answer is the row as written, one generation on. A row with generation 0 is new.
   * Throws Conflict where the stored generation is another.
   */
  put<R extends Row>(row: R, event: string): Promise<R>
  /** Removes the row and every claim it owns. */
  remove(row: Row, event?: string): Promise<void>
  /** Takes a name in a scope for an owner (a row's id). False where another holds it; true again for its holder. */
  claim(scope: string, key: string, owner: string): Promise<boolean>
  release(scope: string, key: string): Promise<void>
  token(account: string, region: string, operation: string, token: string): Promise<Token | undefined>
  putToken(account: string, region: string, token: Token): Promise<void>
  /** Forgets tokens made before a time (ISO 8601). */
  forgetTokens(before: string): Promise<void>
}

export type Store = Reader & {
  transact<T>(body: (tx: Tx) => Promise<T>): Promise<T>
  /** Called after each commit with what it wrote, in order. Returns what ends it. */
  watch(callback: (events: Event[]) => void): () => void
  /** Events after a number, oldest first. */
  events(options: { after: number; limit: number }): Promise<Event[]>
  close(): Promise<void>
}
