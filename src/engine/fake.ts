/**
 * An engine of memory: machines, disks and networks as tables, for tests and for trying the API without root.
 * It calls itself 'fake' wherever a user can see it. It survives a restart of the control plane as a host would:
 * tests keep the object and open everything above it anew.
 *
 * Invariant: it refuses what the real engine refuses (to start a machine without its disk, or with a port that was not applied), so that a
 * control plane that gets its order wrong fails here too.
 */
import type { Engine, MachineEvent, MachineSeen, MachineSpec, DiskSpec, ImageSeen, NetworkSpec, PortTraffic } from '#engine/port'

type Machine = { spec: MachineSpec; power: 'on' | 'off'; boots: number; console: string; cut?: true }
export type FakeOptions = {
  cpus?: number
  memoryMiB?: number
  images?: ImageSeen[]
  /** Called before each act; may throw, or wait. */
  before?(act: string, id: string): Promise<void> | void
  /** Called when an act is done, before its caller hears of it; may throw, or wait. */
  after?(act: string, id: string): Promise<void> | void
}
export type FakeEngine = Engine & {
  machinesById: Map<string, Machine>
  disksById: Map<string, DiskSpec>
  networksById: Map<string, NetworkSpec>
  /** What ports have sent and received, for a test to say; nothing where it says nothing. */
  trafficByPort: Map<string, PortTraffic>
  /** While true everything observed is 'unknown' and every act fails, as when the daemon is down. */
  outage: boolean
  /** What a guest does by itself. */
  guest: { shutdown(id: string): void; reboot(id: string): void }
  /** The host goes down: every machine is off, and none was switched off. */
  powerCut(): void
  /** The host loses a machine. */
  lose(id: string): void
}

const common = { architecture: 'x86_64', sizeGiB: 8, created: '2026-01-01T00:00:00.000Z' } as const
export const fakeImages: ImageSeen[] = [
  { name: 'debian-12-ec2', description: 'Fake engine: Debian 12 with EC2 manners, simulated', user: 'ec2-user', ...common },
  { name: 'debian-12', description: 'Fake engine: Debian 12, simulated', user: 'admin', ...common },
]

export function openFake({ cpus = 64, memoryMiB = 262_144, images = fakeImages, before = () => {}, after = () => {} }: FakeOptions = {}): FakeEngine {
  const machines = new Map<string, Machine>()
  const disks = new Map<string, DiskSpec>()
  const networks = new Map<string, NetworkSpec>()
  const traffic = new Map<string, PortTraffic>()
  const watchers = new Set<(event: MachineEvent) => void>()
  const tell = (id: string, event: MachineEvent['event']) => { for (const watcher of watchers) watcher({ id, event }) }

  const act = async (name: string, id: string, work: () => void) => {
    await before(name, id)
    if (engine.outage) throw new Error(`${name} ${id}: the engine is down`)
    work()
    await after(name, id)
  }
  const machine = (id: string) => {
    const found = machines.get(id)
    if (!found) throw new Error(`no machine ${id}`)
    return found
  }
  const seen = ({ power, boots, cut, spec }: Machine): MachineSeen => ({
    power, devices: spec.ports.map(({ device }) => device), ...(power === 'on' ? { bootId: `${boots}` } : cut && { cut: true }),
  })
  const boot = (id: string, m: Machine, event: MachineEvent['event']) => {
    m.power = 'on'
    m.cut = undefined
    m.boots++
    m.console = `fake engine: boot ${m.boots} of ${id}\n`
    tell(id, event)
  }
  const off = (id: string, event: MachineEvent['event']) => {
    const m = machine(id)
    if (m.power === 'off') return
    m.power = 'off'
    tell(id, event)
  }
  const diskOwner = (id: string) => [...machines.values()].find(m => m.spec.rootDisk === id)?.spec.id
  const hasPort = (port: string) => [...networks.values()].some(n => n.ports.some(p => p.id === port))

  const engine: FakeEngine = {
    name: 'fake', machinesById: machines, disksById: disks, networksById: networks, trafficByPort: traffic, outage: false,
    capacity: async () => ({ cpus, memoryMiB, diskGiB: 10_000, diskFreeGiB: 10_000, architecture: 'x86_64' }),
    close: async () => {},
    guest: {
      shutdown: id => off(id, 'shutdown'),
      reboot: id => boot(id, machine(id), 'restarted'),
    },
    powerCut() {
      for (const m of machines.values()) if (m.power === 'on') Object.assign(m, { power: 'off', cut: true })
    },
    lose(id) { machines.delete(id); tell(id, 'deleted') },
    machines: {
      observe: async id => (engine.outage ? 'unknown' : machines.has(id) ? seen(machine(id)) : 'absent'),
      list: async () => (engine.outage ? 'unknown' : [...machines.keys()]),
      create: spec => act('machine.create', spec.id, () => {
        if (!machines.has(spec.id)) machines.set(spec.id, { spec: structuredClone(spec), power: 'off', boots: 0, console: '' })
      }),
      prepare: id => act('machine.prepare', id, () => {
        if (!disks.has(machine(id).spec.rootDisk)) throw new Error(`no disk ${machine(id).spec.rootDisk}`)
      }),
      start: id => act('machine.start', id, () => {
        const { power, spec: { rootDisk, ports } } = machine(id)
        if (power === 'on') return
        if (!disks.has(rootDisk)) throw new Error(`no disk ${rootDisk}`)
        for (const { port } of ports) if (!hasPort(port)) throw new Error(`no port ${port}`)
        boot(id, machine(id), 'started')
      }),
      stop: id => act('machine.stop', id, () => off(id, 'stopped')),
      kill: id => act('machine.kill', id, () => off(id, 'stopped')),
      reboot: id => act('machine.reboot', id, () => {
        if (machine(id).power === 'off') throw new Error(`machine ${id} is off`)
        boot(id, machine(id), 'restarted')
      }),
      delete: id => act('machine.delete', id, () => { if (machines.delete(id)) tell(id, 'deleted') }),
      attach: (id, port) => act('machine.attach', id, () => {
        if (!hasPort(port.port)) throw new Error(`no port ${port.port}`)
        const holder = [...machines.values()].find(m => m.spec.ports.some(p => p.device === port.device))
        if (holder && holder.spec.id !== id) throw new Error(`port ${port.port} is ${holder.spec.id}'s`)
        if (!holder) machine(id).spec.ports.push(port)
      }),
      detach: (id, device) => act('machine.detach', id, () => {
        const { spec } = machine(id)
        spec.ports = spec.ports.filter(port => port.device !== device)
      }),
      resize: (id, limits) => act('machine.resize', id, () => { Object.assign(machine(id).spec, limits) }),
      console: async id => Buffer.from(machine(id).console),
      reachable: async id => (engine.outage ? 'unknown' : machines.get(id)?.power === 'on'),
      watch(callback) { watchers.add(callback); return () => watchers.delete(callback) },
    },
    disks: {
      async observe(id) {
        if (engine.outage) return 'unknown'
        const disk = disks.get(id)
        return disk ? { sizeGiB: disk.sizeGiB, attachedTo: diskOwner(id) } : 'absent'
      },
      list: async () => (engine.outage ? 'unknown' : [...disks.keys()]),
      create: spec => act('disk.create', spec.id, () => { if (!disks.has(spec.id)) disks.set(spec.id, spec) }),
      delete: id => act('disk.delete', id, () => {
        if (diskOwner(id)) throw new Error(`disk ${id} is in use by ${diskOwner(id)}`)
        disks.delete(id)
      }),
      images: async () => (engine.outage ? 'unknown' : images),
    },
    networks: {
      up: async () => {},
      down: async () => networks.clear(),
      apply: spec => act('network.apply', spec.id, () => { networks.set(spec.id, structuredClone(spec)) }),
      async observe(id) {
        if (engine.outage) return 'unknown'
        const network = networks.get(id)
        return network ? { ports: network.ports.map(p => p.id) } : 'absent'
      },
      list: async () => (engine.outage ? 'unknown' : [...networks.keys()]),
      async traffic(id) {
        if (engine.outage) return 'unknown'
        const network = networks.get(id)
        const none = { bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0 }
        return network ? Object.fromEntries(network.ports.map(p => [p.id, traffic.get(p.id) ?? none])) : 'absent'
      },
      delete: id => act('network.delete', id, () => { networks.delete(id) }),
      portDevice: index => `fake${index}`,
    },
  }
  return engine
}
