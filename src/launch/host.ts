/**
 * What the launcher asks of the engine's parts: bring them up, take them down, say how they are.
 *
 * Each of these is harmless when there is nothing to do, and finishes what an earlier one, killed half-way, began.
 */
import type { Home } from '#base/home'
import type { Log } from '#base/log'

export type DaemonStatus = { running: boolean; pid?: number; version?: string }

export type Host = {
  /** The private Incus with its pool, in home.dir. */
  startDaemon(home: Home, options: { diskGiB: number }, log: Log): Promise<void>
  /** Also switches off machines that still run. */
  stopDaemon(home: Home, log: Log): Promise<void>
  daemonStatus(home: Home): Promise<DaemonStatus>
  /** Unmounts and frees all that the daemon made on the host; the home's files may then be deleted. */
  resetDaemon(home: Home, log: Log): Promise<void>
  /** Names of the images that a fresh Enclume must have. */
  images: string[]
  /** Builds an image unless the pool has it. */
  buildImage(home: Home, name: string, log: Log): Promise<void>
  /** Imports an image from a public image server. */
  importImage(home: Home, alias: string, log: Log): Promise<void>
  /** Links, addresses, namespaces, packet filter tables and resolvers that all networks share. */
  networksUp(home: Home, log: Log): Promise<void>
  /** Also every network's own. */
  networksDown(home: Home, log: Log): Promise<void>
}
