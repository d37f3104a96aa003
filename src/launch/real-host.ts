/** The engine's parts as the launcher uses them. Loaded only by the commands that touch the engine, so that the others stay quick. */
import type { Host } from '#launch/host'

// TO COMPLETE when the engine is merged: drop the `as string` casts, then the compiler checks these calls.
const daemon = () => import('#engine/incus/daemon' as string)
const image = () => import('#engine/disk/image' as string)
const net = () => import('#engine/net/networks' as string)

export const host: Host = {
  startDaemon: async (home, options, log) => (await daemon()).startDaemon(home, options, log),
  stopDaemon: async (home, log) => (await daemon()).stopDaemon(home, log),
  daemonStatus: async home => (await daemon()).daemonStatus(home),
  resetDaemon: async (home, log) => (await daemon()).resetDaemon(home, log),
  images: ['enclume-2023', 'debian-12'],
  buildImage: async (home, name, log) => (await image()).buildImage(home, name, log),
  importImage: async (home, alias, log) => (await image()).importImage(home, alias, log),
  networksUp: async (home, log) => (await net()).openNetworks(home, log).up(),
  networksDown: async (home, log) => (await net()).openNetworks(home, log).down(),
}
