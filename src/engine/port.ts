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
import type { Disks } from '#engine/disks-port'
import type { Meters } from '#engine/meters-port'
import type { Networks } from '#engine/networks-port'

export type { FlowCount, FlowsSeen, PortTraffic } from '#engine/count'
export * from '#engine/disks-port'
export type * from '#engine/meters-port'
export type * from '#engine/networks-port'

export type Unknown = 'unknown'
export type Absent = 'absent'

export type Engine = {
  /** 'incus', or 'fake' wherever a user can see it. */
  readonly name: string
  machines: Machines
  disks: Disks
  networks: Networks
  meters: Meters
  /** What the host has for instances in all, before anything is given away. */
  capacity(): Promise<Capacity>
  /** GiB that disks can still take, as of a moment ago; 0 while machines wait with what they write. Known at once, without asking anybody. */
  diskFreeGiB(): number
  /** Ends this process's side only; machines go on. */
  close(): Promise<void>
}

export type Capacity = { cpus: number; memoryMiB: number; diskGiB: number; architecture: 'x86_64' | 'arm64' }

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
  /** Makes it, switched off. Its disk and ports may be made at the same time. False where it was there already, whatever it does. */
  create(spec: MachineSpec): Promise<boolean>
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
