/**
 * Looks every second whether what networks need on the host is still there, so that what somebody else ended is made again in seconds rather
 * than when everything is looked at.
 *
 * Invariant: it only tells, and each loss once, until it is seen, or said, to be well again.
 */
import type { Log } from '#base/log'

const EVERY_MS = 1000

export type Lookout = { isWell(id: string): void; close(): Promise<void> }

/** `well` answers, by id, whether each network has what it needs. */
export function openLookout(well: () => Promise<Map<string, boolean>>, lost: (id: string) => void, log: Log): Lookout {
  const told = new Set<string>()
  const look = async (): Promise<void> => {
    for (const [id, isWell] of await well()) {
      if (isWell) told.delete(id)
      else if (!told.has(id)) lost(id)
      if (!isWell) told.add(id)
    }
  }
  let timer: NodeJS.Timeout
  let looking = Promise.resolve()
  const again = (): void => {
    timer = setTimeout(() => {
      looking = look().catch((error: unknown) => log.warn('network.unseen', { error }))
      void looking.then(() => { if (!isClosed) again() })
    }, EVERY_MS).unref()
  }
  let isClosed = false
  again()
  return {
    isWell: id => { told.delete(id) },
    async close() {
      isClosed = true
      clearTimeout(timer)
      await looking
    },
  }
}
