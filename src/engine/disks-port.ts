/** The part of the engine's contract (port.ts) that is about disks: block volumes. An image is a disk that nobody writes to. */
import type { Absent, Unknown } from '#engine/port'

export type DiskSpec = {
  id: string
  sizeGiB: number
  /**
   * What it is a copy of, as of one moment, also while a machine writes to that: another disk, or a built image. Shares its blocks. `system`: a disk
   * that nobody writes and that came from elsewhere; the root file system of the Linux on it is taken, and fitted to start as a machine here.
   */
  from?: { disk: string } | { image: string } | { system: string }
  /**
   * 'fresh': it becomes the root of a new machine. Its file system is grown to the size, and names and keys that were another machine's are
   * cleared. 'kept': an exact copy. By default fresh from an image, kept from a disk.
   */
  identity?: 'fresh' | 'kept'
  /** What it is held to from the first use on. */
  limits?: DiskLimits
}
export type DiskSeen = { sizeGiB: number; limits?: DiskLimits }
/** What a disk's users together may do in a second; absent: as much as the host can. */
export type DiskLimits = { iops?: number; bytesPerSecond?: number }
/** Blocks of disks as they are read and written from outside, in bytes. */
export const BLOCK_BYTES = 512 * 1024
export type Block = { index: number; data: Uint8Array }
/** A part of a list of blocks, in ascending order: `limit` of them from `first` on. */
export type Blocks = { first: number; limit: number }

/** What the error begins with where there is none that can start on a disk. */
export const NO_SYSTEM = 'there is no Linux system on the disk that can start here'

/** What went to and from a disk since its machine got it, or booted: a number that grows, or begins anew. */
export type DiskWork = { operations: number; bytes: number; /** Of them, those that read. */ reads: number; bytesRead: number }

export type Disks = {
  observe(id: string): Promise<DiskSeen | Absent | Unknown>
  /** The machines that have it, as root or data disk: looks at every one of them. */
  users(id: string): Promise<string[] | Unknown>
  list(): Promise<string[] | Unknown>
  /** Answers what it made; nothing where the disk was there already. */
  create(spec: DiskSpec): Promise<DiskSeen | undefined>
  /** Copies of several disks, all as of one moment, for which what runs in their machines rests. One interrupted begins all anew. */
  createTogether(specs: DiskSpec[]): Promise<void>
  /** Refuses (throws) while it is in use. */
  delete(id: string): Promise<void>
  /** A greater size, also while a machine has it: its guest sees it when this returns. Throws for a smaller one. */
  grow(id: string, sizeGiB: number): Promise<void>
  /** Holds from now on, also over restarts of a machine and of the host; undefined takes all limits away. */
  limit(id: string, limits: DiskLimits | undefined): Promise<void>
  /** What all disks that machines have are used for, by id. */
  work(): Promise<Record<string, DiskWork> | Unknown>
  /** How much of it has been written, in bytes, whether or not it shares that with others. */
  usage(id: string): Promise<{ bytes: number } | Absent | Unknown>
  /** Which blocks hold anything. */
  blocks(id: string, part: Blocks): Promise<number[]>
  /** Which blocks of it differ from those of another disk; a block beyond the other's end differs if it holds anything. */
  changed(id: string, base: string, part: Blocks): Promise<number[]>
  /** Undefined for a block that holds nothing. */
  readBlock(id: string, index: number): Promise<Uint8Array | undefined>
  /** Throws while a machine has the disk. Durable when it returns. */
  writeBlock(id: string, index: number, data: Uint8Array): Promise<void>
  /** All blocks that hold anything, in order; of a disk that nobody writes. */
  contents(id: string): AsyncIterable<Block>
  /** Writes many. Throws while a machine has the disk. Durable when it returns. */
  fill(id: string, blocks: AsyncIterable<Block>): Promise<void>
  /** Images that machines can be made from now, by name, as `enclume up` built or imported them. */
  images(): Promise<ImageSeen[] | Unknown>
}
export type ImageSeen = {
  name: string
  description: string
  architecture: 'x86_64' | 'arm64'
  /** Least root disk. */
  sizeGiB: number
  created: string
  /** Whom ssh lets in. */
  user: string
}
