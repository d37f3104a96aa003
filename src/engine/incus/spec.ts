/**
 * A machine's specification in Incus's words. Pure.
 *
 * Invariant: every machine is unprivileged with user ids of its own, has no way to the daemon, and may use the harmless character
 * devices and the loop devices of its own range alone. No other block device is ever allowed here.
 */
import type { MachineSpec } from '#engine/port'
import { consoleConfig } from '#engine/incus/console'
import { unifiedCgroups } from '#engine/incus/host'
import { VIEW } from '#engine/incus/view'
import { PLACE, ROOT_DISK, type Devices } from '#engine/incus/attachment'
import { seccompProfile } from '#engine/storage/seccomp'

/** Where its root file system is mounted, where its console goes, where its block devices are listed, and where the storage helper is. */
export type Paths = { root: string; console: string; view: string; storage: string }
/** The numbers of loop devices that are its own. */
type Range = { first: number; last: number }
type Limits = Pick<MachineSpec, 'cpus' | 'cpuBaselinePercent' | 'memoryMiB'>

/** Terminals, null, full, zero, random, urandom, tty, console, ptmx, fuse, tun. `m` alone lets nodes be made, not used. */
const DEVICES = ['b *:* m', 'c *:* m', 'c 136:* rwm', 'c 1:3 rwm', 'c 1:5 rwm', 'c 1:7 rwm', 'c 1:8 rwm', 'c 1:9 rwm', 'c 5:0 rwm',
  'c 5:1 rwm', 'c 5:2 rwm', 'c 10:229 rwm', 'c 10:200 rwm']
/** A kernel of its own would allow one for each 128 KiB of memory (`threads-max`, kernel/fork.c). */
const MOST_PROCESSES = 16_384
const PROCESSES_PER_MIB = 8

/** The baseline is a share that counts when CPUs are contended, never a cap: who may burst is decided elsewhere. */
export const limitsOf = ({ cpus, cpuBaselinePercent = 100, memoryMiB }: Limits): Record<string, string> => ({
  'limits.cpu': String(cpus),
  'limits.cpu.allowance': `${Math.min(100, Math.max(1, Math.round(cpuBaselinePercent)))}%`,
  'limits.memory': `${memoryMiB}MiB`,
  'limits.processes': String(Math.min(MOST_PROCESSES, memoryMiB * PROCESSES_PER_MIB)),
})

/** `place`: a number of the machine's own among those of this Enclume. */
export const configOf = (spec: MachineSpec, { place, range }: { place: number; range: Range }, paths: Paths): Record<string, string> => ({
  ...limitsOf(spec),
  ...Object.fromEntries(Object.entries(spec.environment ?? {}).map(([name, value]) => [`environment.${name}`, value])),
  'security.idmap.isolated': 'true',
  'security.guestapi': 'false',
  'security.nesting': 'false',
  'boot.autostart': 'false',
  'raw.lxc': rawConfig(spec.id, paths, { range, unified: unifiedCgroups() }),
  'raw.seccomp': seccompProfile,
  [ROOT_DISK]: spec.rootDisk,
  [PLACE]: String(place),
})

const blockDevices = ({ first, last }: Range): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => `b 7:${first + i} rwm`)

/**
 * What Incus has no word for: the root file system that we mounted, seen with the guest's user ids, its devices, and who does for it what
 * the kernel lets no container do. What the kernel tells of block devices is the whole host's: a list of its own covers it.
 * With a writable /sys, systemd would wait for udev to announce network interfaces, and no udev runs in a container.
 */
export function rawConfig(id: string, { root, console, view, storage }: Paths, { range, unified }: { range: Range; unified: boolean }): string {
  const group = unified ? 'lxc.cgroup2.devices' : 'lxc.cgroup.devices'
  return [`lxc.rootfs.path = dir:${root}`, 'lxc.rootfs.options = idmap=container', 'lxc.mount.auto = sys:mixed',
    ...VIEW.map(({ from, over }) => `lxc.mount.entry = ${view}/${from} ${over} none bind,ro 0 0`),
    `lxc.seccomp.notify.proxy = unix:${storage}`, `lxc.seccomp.notify.cookie = ${id}`,
    ...consoleConfig(console), `${group}.deny = a`, ...[...DEVICES, ...blockDevices(range)].map(device => `${group}.allow = ${device}`)].join('\n')
}

/** Ports are moved into the guest under their names there, and come back when it stops. */
export const devicesOf = ({ ports }: Pick<MachineSpec, 'ports'>): Devices =>
  Object.fromEntries(ports.map(({ device, name }) => [name, { type: 'nic', nictype: 'physical', parent: device, name }]))

/** The devices of the ports among an instance's devices. */
export const portsAmong = (devices: Devices): string[] =>
  Object.values(devices).filter(device => device.type === 'nic').map(device => device.parent!)
