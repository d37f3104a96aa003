/**
 * `enclume down`: instances shut down in order, then everything above them goes; what should run is remembered.
 *
 * Invariant: works from any state, also when the server or the engine died; `--keep-running` touches nothing but the server.
 */
import type { Home } from '#base/home'
import type { Args } from '#launch/args'
import { findConfig, getHome, homeDirOf } from '#launch/config'
import type { Host } from '#launch/host'
import { sweepLeftovers } from '#launch/leftovers'
import { withLock } from '#launch/lock'
import { progressLog } from '#launch/progress'
import { drain, findHealth, findServer, stopServer } from '#launch/server'
import type { Ui } from '#launch/ui'

export function down(args: Args, ui: Ui, host: Host): Promise<number> {
  const dir = homeDirOf(args)
  return withLock(dir, {}, async () => {
    if (!findConfig(dir)) {
      ui.line(`There is no Enclume in ${dir}.`)
      return 0
    }
    const home = getHome(dir)
    if (args.options['keep-running']) await ui.step('server', async () => { await stopServer(home) })
    else await stopAll(home, ui, host)
    return 0
  })
}

/** Ends all that runs. The caller holds the home's lock. */
export async function stopAll(home: Home, ui: Ui, host: Host): Promise<void> {
  // Without a server that answers, the engine shuts the machines down by itself when it stops.
  if (findServer(home) && (await findHealth(home))) {
    await ui.step('instances', async say => {
      const stopped = await drain(home).catch((error: unknown) => { say(`the server could not: ${(error as Error).message}`); return 0 })
      if (stopped) say(`${stopped} stopped`)
    })
  }
  await ui.step('server', async () => { await stopServer(home) })
  await ui.step('engine (Incus)', say => host.stopDaemon(home, progressLog(home, say)))
  await ui.step('networks', say => host.networksDown(home, progressLog(home, say)))
  // The pool's mount and loop device outlive its daemon, and so does all that one which was killed had made.
  await ui.step('leftovers', say => sweepLeftovers(home, say))
}
