/**
 * Brings the engine's daemon back when it died by itself, and the server that shows machines their sizes. Machines go on without the first,
 * but nobody can change or see them; those started without the second would see the host's sizes.
 *
 * Invariant: whoever holds the home's lock (`up`, `down`, `reset`) decides alone: meanwhile nothing is started.
 */
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import { findConfig } from '#launch/config'
import { Failure } from '#launch/failure'
import type { Host } from '#launch/host'
import { withLock } from '#launch/lock'

const LOOK_MS = 2000

export type Keeper = {
  /** Looks now, and starts the daemon if it is not there. Throws nothing: it looks again soon. */
  look(): Promise<void>
  /** Waits for a start that is under way, and looks no more. */
  close(): Promise<void>
}

export function openKeeper(home: Home, host: Pick<Host, 'daemonStatus' | 'startDaemon' | 'sizesShown'>, log: Log): Keeper {
  let closed = false
  let looking: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const whole = async () => (await host.daemonStatus(home)).running && host.sizesShown()

  async function restart(): Promise<void> {
    await withLock(home.dir, { note: 'bring the engine back' }, async () => {
      if (closed || await whole()) return
      log.warn('engine.died', {})
      await host.startDaemon(home, { diskGiB: findConfig(home.dir)!.diskGiB }, log)
    })
  }

  async function once(): Promise<void> {
    clearTimeout(timer)
    try {
      if (!await whole()) await restart()
    } catch (error) {
      // A Failure: the lock is another's, who knows what it does.
      if (!(error instanceof Failure)) log.error('engine.keep', { error })
    }
    if (!closed) timer = setTimeout(look, LOOK_MS).unref()
  }

  const look = (): Promise<void> => (looking = looking.then(once))
  return {
    look,
    async close() {
      closed = true
      clearTimeout(timer)
      await looking
    },
  }
}
