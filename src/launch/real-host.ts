/** The engine's parts as the launcher uses them, each loaded when first asked for, so that commands without an engine stay quick. */
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import type { Networks } from '#engine/port'
import { Failure } from '#launch/failure'
import type { Host } from '#launch/host'
import { findProcesses } from '#launch/processes'

const STOP_MS = 60_000

const daemon = () => import('#engine/incus/daemon')
const storage = () => import('#engine/storage/helper')
const place = () => import('#engine/incus/place')
const archive = () => import('#engine/disk/archive')
const image = () => import('#engine/disk/image')
const disks = async (home: Home, log: Log) => (await import('#engine/disk/disks')).openDisks(home, (await place()).daemonClient(home), log)

async function withNetworks(home: Home, log: Log, work: (networks: Networks) => Promise<void>): Promise<void> {
  const networks = (await import('#engine/net/networks')).openNetworks(home, log)
  try { await work(networks) } finally { await networks.close() }
}

/** Machines of this home that the kernel runs now, whether or not the daemon does. */
async function machinesRun(home: Home): Promise<boolean> {
  const { monitorTitle } = await place()
  return findProcesses(([title = '']) => title.startsWith(monitorTitle(home))).length > 0
}

async function stopMachines(home: Home, log: Log): Promise<void> {
  const { daemonClient } = await place()
  const { daemonStatus, startDaemon } = await daemon()
  if (!(await daemonStatus(home)).running) await startDaemon(home, log)
  const { openMachines } = await import('#engine/incus/machines')
  const machines = openMachines(home, daemonClient(home), log)
  const ids = await machines.list()
  if (ids === 'unknown') throw new Error('Incus does not say which machines there are')
  const results = await Promise.allSettled(ids.map(id => machines.stop(id, { timeoutMs: STOP_MS })))
  for (const [i, result] of results.entries()) {
    if (result.status === 'rejected') log.warn('machine.stop', { id: ids[i], error: result.reason })
  }
}

export const host: Host = {
  startDaemon: async (home, { diskGiB }, log) => { await (await daemon()).startDaemon(home, log, { poolGiB: diskGiB }) },
  async stopDaemon(home, log) {
    if (await machinesRun(home)) await stopMachines(home, log)
    await (await daemon()).stopDaemon(home, log)
    await (await storage()).stopStorageHelper(home, log)
    await (await import('#engine/incus/host')).restoreHost(home, log)
  },
  findIncus: async url => {
    const { existingIncus } = await place()
    return existingIncus(url).catch((error: unknown) => { throw new Failure(`--incus: ${(error as Error).message}`, 1, { cause: error }) })
  },
  leaveIncus: async home => (await place()).leaveExisting(home),
  async sizesShown() {
    const { lxcfsAnswers, lxcfsPath } = await import('#engine/incus/lxcfs')
    return lxcfsAnswers(lxcfsPath())
  },
  async daemonStatus(home) {
    const status = await (await daemon()).daemonStatus(home)
    // Without its storage helper the engine is but half there: whoever brings it back brings both.
    return { ...status, running: status.running && (await storage()).storageHelper(home) !== undefined }
  },
  imageNames: async () => (await image()).IMAGES,
  buildImage: async (home, name, log) => (await image()).buildImage(home, (await place()).daemonClient(home), name, log),
  async importImage(home, { name, server }, log) {
    const { DEFAULT_SERVER, ImportError } = await import('#engine/image/simplestreams')
    const { importImage } = await import('#engine/image/import')
    try {
      return await importImage(home, (await place()).daemonClient(home), { name, server: server ?? DEFAULT_SERVER }, log)
    } catch (error) {
      throw error instanceof ImportError ? new Failure(error.message, 1, { cause: error }) : error
    }
  },
  exportVolumes: async (home, options) => (await archive()).exportVolumes(home, (await place()).daemonClient(home), options),
  importVolume: async (home, volume, folder) => (await archive()).importVolume(home, (await place()).daemonClient(home), volume, folder),
  images: async (home, log) => (await disks(home, log)).images(),
  networksUp: (home, log) => withNetworks(home, log, networks => networks.up()),
  networksDown: (home, log) => withNetworks(home, log, networks => networks.down()),
}
