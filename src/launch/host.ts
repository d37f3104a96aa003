/**
 * What the launcher asks of the engine's parts: bring them up, take them down, say how they are.
 *
 * Each of these is harmless when there is nothing to do, and finishes what an earlier one, killed half-way, began.
 */
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import type { Archived } from '#engine/disk/archive'
import type { ImageSeen } from '#engine/port'

export type { Archived } from '#engine/disk/archive'
export type DaemonStatus = { running: boolean; pid?: number; version?: string }

export type Host = {
  /** The private Incus with its pool, in home.dir; or the home's project and pool in an Incus that was there before. */
  startDaemon(home: Home, options: { diskGiB: number }, log: Log): Promise<void>
  /** What `unix:PATH` names, where instances can live in it. A Failure that says what keeps them from it. */
  findIncus(url: string): Promise<NonNullable<Home['incus']>>
  /** Removes the home's project and pool, with all in them, from an Incus that was there before; nothing where it is the home's own. */
  leaveIncus(home: Home): Promise<void>
  /** Shuts down machines that still run, then the daemon, and puts the host's settings back as they were. */
  stopDaemon(home: Home, log: Log): Promise<void>
  daemonStatus(home: Home): Promise<DaemonStatus>
  /** Whether machines that start now see their own memory and processors (lxcfs answers). */
  sizesShown(): Promise<boolean>
  /** Names of the images that a fresh Enclume must have. */
  imageNames(): Promise<string[]>
  /** Builds an image unless the pool has it. */
  buildImage(home: Home, name: string, log: Log): Promise<void>
  /** Fetches an image of an image server unless the pool has it; gives the name it has here. A Failure for what the user can mend. */
  importImage(home: Home, from: { name: string; server?: string }, log: Log): Promise<string>
  /** Writes every volume into a folder, all of one moment; `copied` is called at that moment. */
  exportVolumes(home: Home, options: { folder: string; copied: () => Promise<void>; log: Log }): Promise<Archived[]>
  /** Makes a volume from its file in a folder, unless it is there. */
  importVolume(home: Home, volume: Archived, folder: string): Promise<void>
  /** Images in the pool. */
  images(home: Home, log: Log): Promise<ImageSeen[] | 'unknown'>
  /** Links, addresses, namespaces, packet filter tables and resolvers that all networks share. */
  networksUp(home: Home, log: Log): Promise<void>
  /** Also every network's own. */
  networksDown(home: Home, log: Log): Promise<void>
}
