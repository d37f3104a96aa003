/**
 * Numbers given out by claims: of networks, ports, subnets, addresses.
 *
 * Invariant: two living owners never have one number of a scope; `claimNext` gives a number back only after all others, so
 * that what the host still remembers of its last owner (devices, tracked connections) has gone by then.
 */
import { resourceId } from '#base/id'
import type { Tx } from '#store/store'

export type NumberOptions = {
  scope: string
  owner: string
  least: number
  most: number
  /** Numbers that are free and not given. */
  avoid?: (n: number) => boolean
  /** Whose the memory of the last number is, and goes with: for scopes that end with a record. */
  keeper?: string
  /** The claim's key for a number: the number itself by default. */
  key?: (n: number) => string
}

/** The lowest free number; undefined where all are taken. */
export async function claimLowest(tx: Tx, { scope, owner, least, most, key = String, avoid }: NumberOptions): Promise<number | undefined> {
  const held = await tx.claims(scope)
  for (let n = least; n <= most; n++) {
    if (!held.has(key(n)) && !avoid?.(n) && await tx.claim(scope, key(n), owner)) return n
  }
  return undefined
}

/** The next free number after the one given last, beginning again at the end; undefined where all are taken. */
export async function claimNext(
  tx: Tx, { scope, owner, least, most, key = String, avoid, keeper = 'last' }: NumberOptions,
): Promise<number | undefined> {
  const mark = `${scope}/last`
  const [last] = (await tx.claims(mark)).keys()
  const count = most - least + 1
  const begin = last === undefined ? 0 : Number(last) - least + 1
  for (let step = 0; step < count; step++) {
    const n = least + ((begin + step) % count)
    // What the owner has already is claimed by it as often as it likes.
    if (avoid?.(n) || await tx.holder(scope, key(n)) !== undefined || !await tx.claim(scope, key(n), owner)) continue
    if (last !== undefined) await tx.release(mark, last)
    await tx.claim(mark, String(n), keeper)
    return n
  }
  return undefined
}

/** A new id of this prefix, by which its owner can be found: associations have no rows of their own. */
export async function claimId(tx: Tx, { scope, prefix, owner }: { scope: string; prefix: string; owner: string }): Promise<string> {
  const id = resourceId(prefix)
  await tx.claim(scope, id, owner)
  return id
}
