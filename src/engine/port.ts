/**
 * What the control plane asks of the machines underneath, in plain data. Two implementations pass one suite
 * (engine.suite.ts): the real one (Incus, nftables, loop devices) and the fake one (memory).
 *
 * Rules of the port:
 * - The engine knows no AWS word. Ids are the caller's and opaque; every act is named by id and idempotent.
 * - Observing never throws for an outage: what cannot be seen is 'unknown', and only what was looked for and is not there is 'absent'.
 * - An act that throws may have been done, in part or whole: observe again. Nothing here retries.
 * - Nothing is remembered between calls that a restart would lose; what was made is found again on the host.
 */
import type { Networks } from '#engine/port-network'

export type { FlowCount, FlowsSeen, PortTraffic } from '#engine/count'
export type * from '#engine/port-network'

export type Unknown = 'unknown'
export type Absent = 'absent'

export type Engine = {
  /** 'incus', or 'fake' wherever a user can see it. */
  readonly name: string
  machines: Machines
  disks: Disks
  networks: Networks
  /** What the host has for instances in all, before anything is given away. */
  capacity(): Promise<Capacity>
  /** Ends this process's side only; machines go on. */
  close(): Promise<void>
}

export type Capacity = { cpus: number; memoryMiB: number; diskGiB: number; diskFreeGiB: number; architecture: 'x86_64' | 'arm64' }

// Machines: system containers.

export type MachineSpec = {
  id: string
  cpus: number
  /** Share of the CPUs' time that is always there, in percent of one CPU times `cpus`; absent: all of it. */
  cpuBaselinePercent?: number
  memoryMiB: number
  /** Disk that holds the root file system. It need not exist before the start. */
  rootDisk: string
  /** Network ports, the first one first. They need not exist before the start. */
  ports: MachinePort[]
  /** Data disks that it is made with. They need not exist before the start. */
  disks?: MachineDisk[]
  /** DMI-like facts that the guest's tools read, set as environment of its init. */
  environment?: Record<string, string>
}

/** A port as a machine has it: `device` is what portDevice() names, `name` what the guest calls it: ens5, ens6 … */
export type MachinePort = { port: string; device: string; name: string }

/**
 * A data disk as a machine has it: `device` is what the guest calls it, without /dev/ (xvdf, sdf, nvme1n1); `serial` and `model` are what
 * lsblk shows. `shared`: several machines may have it at once, if all of them say so.
 */
export type MachineDisk = { disk: string; device: string; serial: string; model: string; readOnly?: true; shared?: true }

export type MachineSeen = {
  power: 'on' | 'off'
  /** Devices of the ports that it has: one that was made anew under it is not among them until it is attached again. */
  devices: string[]
  /** Data disks that it has. `busy`: taken away, and the guest still uses it: it goes when the guest lets it go. */
  disks: { disk: string; busy?: true }[]
  /** Absent when it has none, as after `setRoot`. */
  rootDisk?: string
  /** Changes at every boot, also one typed inside; undefined while off. */
  bootId?: string
  /** It is off though nobody switched it off, neither its guest nor the caller: the host went down under it. */
  cut?: true
}
export type MachineEvent = { id: string; event: 'started' | 'stopped' | 'shutdown' | 'restarted' | 'deleted' }

export type Machines = {
  observe(id: string): Promise<MachineSeen | Absent | Unknown>
  /** All machines of this Enclume, for finding what nobody owns. */
  list(): Promise<string[] | Unknown>
  /** Makes it, switched off. Its disk and ports may be made at the same time. */
  create(spec: MachineSpec): Promise<void>
  /** Does ahead what of a start needs no ports, for whoever waits for these; a start does it by itself. Throws without its disk. */
  prepare(id: string): Promise<void>
  /** Throws while its disk or a port of it is missing. */
  start(id: string): Promise<void>
  /** Asks the guest to shut down and returns when it is off; when the time is over it is switched off. */
  stop(id: string, options: { timeoutMs: number }): Promise<void>
  kill(id: string): Promise<void>
  /** A restart from outside: the guest shuts down in order, within the time, and boots again. */
  reboot(id: string, options: { timeoutMs: number }): Promise<void>
  /** Also switches off. Its disks and ports stay. */
  delete(id: string): Promise<void>
  /** Gives it one more port, on or off. The port is there, and no other machine has it. */
  attach(id: string, port: MachinePort): Promise<void>
  /** Takes a port away, on or off: when this returns, its device lies in the host's namespace again. The port itself stays. */
  detach(id: string, device: string): Promise<void>
  /** Gives it a data disk, on or off. Throws while another machine has it, unless both share it. */
  attachDisk(id: string, disk: MachineDisk): Promise<void>
  /**
   * Takes a data disk away, on or off. When this returns the guest has lost it, or it is `busy`: still mounted inside, and nobody else may have
   * it. With `force` its file systems end as by a pulled cable, and it is never busy.
   */
  detachDisk(id: string, disk: string, options: { force: boolean }): Promise<void>
  /** Another root disk, or none, for a machine that is off. */
  setRoot(id: string, disk: string | undefined): Promise<void>
  /** New limits; on a running machine at once. */
  resize(id: string, limits: Pick<MachineSpec, 'cpus' | 'cpuBaselinePercent' | 'memoryMiB'>): Promise<void>
  /** What the console has printed since the last boot: at most the newest 64 KiB. */
  console(id: string): Promise<Uint8Array>
  /**
   * A program of the host's that is, on a terminal, a command run inside by root, or the guest's console; it ends with its terminal.
   * Undefined where nothing runs inside (the fake engine).
   */
  terminal(id: string, what: { command: string[] } | 'console'): Promise<{ file: string; args: string[]; env: Record<string, string> } | undefined>
  /** Whether the guest's first interface answers on the network (an ARP or TCP exchange, not a record). */
  reachable(id: string): Promise<boolean | Unknown>
  /** Calls back for each change of power; the caller observes again. Returns what ends it. Survives outages by itself. */
  watch(callback: (event: MachineEvent) => void): () => void
}

// Disks: block volumes. An image is a disk that nobody writes to.

export type DiskSpec = {
  id: string
  sizeGiB: number
  /** What it is a copy of, as of one moment, also while a machine writes to that: another disk, or a built image. Shares its blocks. */
  from?: { disk: string } | { image: string }
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

/** What went to and from a disk since its machine got it, or booted: a number that grows, or begins anew. */
export type DiskWork = { operations: number; bytes: number }

export type Disks = {
  observe(id: string): Promise<DiskSeen | Absent | Unknown>
  /** The machines that have it, as root or data disk: looks at every one of them. */
  users(id: string): Promise<string[] | Unknown>
  list(): Promise<string[] | Unknown>
  create(spec: DiskSpec): Promise<void>
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
