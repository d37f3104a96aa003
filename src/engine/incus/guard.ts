/**
 * Lets machines wait with what they write while the pool, or the host's disk below it, has next to no room: as a hypervisor lets a guest wait
 * whose disk its host can't extend (QEMU's werror=enospc). Without it the file systems inside are told of I/O errors and turn read-only, the
 * neighbours' of whoever filled the pool, too.
 *
 * Invariant: it begins while there is room for what is on its way, and is noted in the home before: who comes after a kill goes on with it, or
 * ends it. A machine that is to stop is not held, or what it still has to write would keep it from stopping.
 */
import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import { isOfSlot, loopNumbers } from '#engine/disk/loop'
import { placeOf, rangeOf, type Config } from '#engine/incus/attachment'
import type { Client } from '#engine/incus/client'
import { openLimits } from '#engine/incus/limits'
import { volumeDir } from '#engine/incus/place'
import { holdWriting, leftHeld, letWrite } from '#engine/incus/throttle'

const EVERY_MS = 500
/** While it holds it looks at every machine: who started meanwhile is held, too. */
const HOLDING_MS = 2000
const GIB = 2 ** 30
const MOST_LEAST = GIB
/** What a disk may write in a second meanwhile. The block layer knows no 0. */
const TRICKLE = 4096

type Instance = { name: string; status: string; config: Config; state: { pid: number } | null }
/** In bytes. */
export type Room = { free: number; total: number }

/** Below this it begins, and above twice this it ends: a gibibyte, or a twentieth where that is less. */
const leastOf = ({ total }: Room): number => Math.min(MOST_LEAST, total / 20)

/** Whether to hold, after having held or not. Pure. */
export const mustHold = (isHolding: boolean, rooms: Room[]): boolean =>
  rooms.some(room => room.free < leastOf(room) * (isHolding ? 2 : 1))

const roomAt = (path: string): Room[] => {
  if (!existsSync(path)) return []
  const { bavail, blocks, bsize } = statfsSync(path)
  return [{ free: bavail * bsize, total: blocks * bsize }]
}

export type Guard = {
  /** For whoever is about to stop it. */
  leaving(id: string): Promise<void>
  /** It starts again, or stays. */
  back(id: string): void
  /** What the scarcer of the pool and the host's disk below it can still take, as of the last look; 0 while it holds. */
  freeGiB(): number
  /** Begins to look. One process of a home does. */
  watch(): void
  close(): Promise<void>
}

export function openGuard(home: Home, client: Client, log: Log): Guard {
  const note = join(home.dir, 'writing-held')
  const limits = openLimits(home, client)
  const leaving = new Set<string>()
  const look = (): Room[] => [...roomAt(dirname(volumeDir(home, 'any'))), ...roomAt(home.dir)]
  let isHolding = existsSync(note)
  let rooms = look()

  const running = async (): Promise<Instance[]> =>
    (await client.get<Instance[]>('/1.0/instances?recursion=2')).filter(({ status, state }) => status === 'Running' && (state?.pid ?? 0) > 0)
  /** Of all that is there, also of what is on its way out: that has something left to write. */
  function numbersOf({ config }: Instance): number[] {
    const place = placeOf(config)
    if (place === undefined) return []
    const { first, last } = rangeOf(home.slot, place)
    return loopNumbers().filter(number => number >= first && number <= last)
  }
  const hold = (one: Instance, bytesPerSecond: number | undefined): void => {
    for (const number of numbersOf(one)) holdWriting({ pid: one.state!.pid, number, bytesPerSecond })
  }
  async function letGo(one: Instance): Promise<void> {
    hold(one, undefined)
    await limits.give(one)
  }

  /** Where not even that has room it is tried again at the next look. */
  function remember(): void {
    try {
      if (!existsSync(note)) writeFileSync(note, '')
    } catch (error) {
      log.warn('disks.full: it could not be noted', { error })
    }
  }

  async function settle(): Promise<boolean> {
    const was = isHolding
    rooms = look()
    const must = mustHold(was, rooms)
    if (!was && !must) return false
    const free = rooms.map(room => Math.floor(room.free / 2 ** 20))
    if (!was) {
      log.warn('disks.full: instances wait with what they write until there is room', { freeMiB: free })
      isHolding = true
    }
    if (must) remember()
    for (const one of await running()) if (!leaving.has(one.name)) await (must ? hold(one, TRICKLE) : letGo(one))
    if (!must) {
      for (const number of leftHeld(TRICKLE)) if (isOfSlot(number, home.slot)) letWrite(number)
      isHolding = false
      rmSync(note, { force: true })
      log.warn('disks.full: there is room again', { freeMiB: free })
    }
    return must
  }

  let timer: NodeJS.Timeout | undefined
  let looking: Promise<unknown> = Promise.resolve()
  let isClosed = false
  const again = (ms: number): void => {
    timer = setTimeout(() => {
      looking = settle().catch((error: unknown) => { log.warn('disks.unseen', { error }); return true })
        .then(isHolding => { if (!isClosed) again(isHolding ? HOLDING_MS : EVERY_MS) })
    }, ms).unref()
  }
  return {
    async leaving(id) {
      leaving.add(id)
      // Also where another process holds it.
      if (!isHolding && !existsSync(note)) return
      await looking
      const one = (await running()).find(({ name }) => name === id)
      if (one) await letGo(one)
    },
    back(id) { leaving.delete(id) },
    freeGiB: () => (isHolding ? 0 : Math.floor(Math.min(...rooms.map(({ free }) => free)) / GIB)),
    watch: () => again(0),
    async close() {
      isClosed = true
      clearTimeout(timer)
      await looking
    },
  }
}
