/**
 * Which home has which slot on this host: one file for each slot, holding the path of the home.
 *
 * Invariant: a file is made exclusively and only under the registry's lock, so two homes never get one slot. A claim whose home is
 * gone is free again; a claim is therefore made after the home's directory.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SLOTS } from '#base/home'
import { Failure } from '#launch/failure'
import { withLock } from '#launch/lock'

export const REGISTRY = '/var/lib/enclume-slots'
export const DEFAULT_HOME = '/var/lib/enclume'

/** Slots in use and whose they are. */
export function readSlots(registry = REGISTRY): Map<number, string> {
  if (!existsSync(registry)) return new Map()
  const names = readdirSync(registry).filter(name => /^\d$/.test(name))
  const claims = names.map((name): [number, string] => [Number(name), readFileSync(join(registry, name), 'utf8').trim()])
  return new Map(claims.filter(([, dir]) => existsSync(dir)))
}

type Claim = { dir: string; want?: number | undefined; registry?: string }

/** The slot of the home `dir`, which exists: its own, the one wanted, or the first free. Slot 0 is left for the default home. */
export function claimSlot({ dir, want, registry = REGISTRY }: Claim): Promise<number> {
  return withLock(`slots ${registry}`, { waitMs: 5000 }, async () => {
    mkdirSync(registry, { recursive: true })
    const taken = readSlots(registry)
    const own = [...taken].find(([, owner]) => owner === dir)?.[0]
    if (own !== undefined && (want === undefined || want === own)) return own
    if (own !== undefined) throw new Failure(`${dir} has slot ${own} already; only \`enclume reset\` frees it`)
    const order = Array.from({ length: SLOTS }, (_, i) => (dir === DEFAULT_HOME ? i : (i + 1) % SLOTS))
    const slot = want ?? order.find(i => !taken.has(i))
    if (slot === undefined) throw new Failure(`all ${SLOTS} slots are in use: ${[...taken.values()].join(', ')}. Reset one of them.`)
    if (taken.has(slot)) throw new Failure(`slot ${slot} belongs to ${taken.get(slot)}`)
    rmSync(join(registry, String(slot)), { force: true })
    writeFileSync(join(registry, String(slot)), `${dir}\n`, { flag: 'wx' })
    return slot
  })
}

/** Frees what `dir` has; removes the registry with the last claim. */
export function releaseSlot({ dir, registry = REGISTRY }: { dir: string; registry?: string }): Promise<void> {
  return withLock(`slots ${registry}`, { waitMs: 5000 }, async () => {
    if (!existsSync(registry)) return
    const files = readdirSync(registry).map(name => join(registry, name))
    for (const file of files) if (readFileSync(file, 'utf8').trim() === dir) rmSync(file)
    if (readdirSync(registry).length === 0) rmSync(registry, { recursive: true })
  })
}
