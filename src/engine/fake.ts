/**
 * An engine of memory: machines, disks and networks as tables, for tests and for trying the API without root.
 * It calls itself 'fake' wherever a user can see it. It survives a restart of the control plane as a host would:
 * tests keep the object and open everything above it anew.
 *
 * Invariant: it refuses what the real engine refuses (to start a machine without its disk, or with a port that was not applied), so that a
 * control plane that gets its order wrong fails here too.
 */
import { openFakeDisks, type FakeDisk } from '#engine/fake-disks'
import type {
  FlowCount, Engine, MachineDisk, MachineEvent, MachineSeen, MachineSpec, ImageSeen, NetworkSpec, PortTraffic, ProcessorTime, Served,
} from '#engine/port'

type Machine = {
  /** As it is now. */
  spec: Omit<MachineSpec, 'rootDisk' | 'disks'> & { rootDisk?: string; disks?: MachineDisk[] }
  power: 'on' | 'off'
  boots: number
  console: string
  cut?: true
  /** Disks that its guest has mounted, and those taken away meanwhile. */
  mounted?: string[]
  busy?: string[]
}
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
  disksById: Map<string, FakeDisk>
  networksById: Map<string, NetworkSpec>
  /** What ports have sent and received, for a test to say; nothing where it says nothing. */
  trafficByPort: Map<string, PortTraffic>
  /** What machines have used of their processors, for a test to say; nothing is known where it says nothing. */
  processorsById: Map<string, ProcessorTime>
  /** What `flows` tells next, by network. */
  flowsById: Map<string, FlowCount[]>
  /** Domains that mean the host itself. */
  served: Served
  /** What disks can still take, for a test to say. */
  freeGiB: number
  /** While true everything observed is 'unknown' and every act fails, as when the daemon is down. */
  outage: boolean
  /** What a guest does by itself. */
  guest: { shutdown(id: string): void; reboot(id: string): void; mount(id: string, disk: string): void; umount(id: string, disk: string): void }
  /** Somebody switches a machine on by hand. */
  switchOn(id: string): void
  /** The host goes down: every machine is off, and none was switched off. */
  powerCut(): void
  /** The host loses a machine. */
  lose(id: string): void
  /** The host loses a network. */
  loseNetwork(id: string): void
}

const DISK_GIB = 10_000
const common = { architecture: 'x86_64', sizeGiB: 8, created: '2026-01-01T00:00:00.000Z' } as const
export const fakeImages: ImageSeen[] = [
  { name: 'debian-12-ec2', description: 'Fake engine: Debian 12 with EC2 manners, simulated', user: 'ec2-user', ...common },
  { name: 'debian-12', description: 'Fake engine: Debian 12, simulated', user: 'admin', ...common },
]

export function openFake({ cpus = 64, memoryMiB = 262_144, images = fakeImages, before = () => {}, after = () => {} }: FakeOptions = {}): FakeEngine {
  const machines = new Map<string, Machine>()
  const disks = new Map<string, FakeDisk>()
  const networks = new Map<string, NetworkSpec>()
  const traffic = new Map<string, PortTraffic>()
  // A network's ports by id, for as long as it stands as it is.
  const ports = new WeakMap<NetworkSpec, Set<string>>()
  const portsOf = (network: NetworkSpec): Set<string> => {
    const known = ports.get(network) ?? new Set(network.ports.map(port => port.id))
    ports.set(network, known)
    return known
  }
  const watchers = new Set<(event: MachineEvent) => void>()
  const networkWatchers = new Set<(id: string) => void>()
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
  const seen = ({ power, boots, cut, spec, busy = [] }: Machine): MachineSeen => ({
    power, devices: spec.ports.map(({ device }) => device), ...(spec.rootDisk !== undefined && { rootDisk: spec.rootDisk }),
    disks: [...(spec.disks ?? []).map(({ disk }) => ({ disk })), ...busy.map(disk => ({ disk, busy: true as const }))],
    ...(power === 'on' ? { bootId: `${boots}` } : cut && { cut: true }),
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
    Object.assign(m, { mounted: [], busy: [] })
    tell(id, event)
  }
  const has = ({ spec, busy = [] }: Machine, disk: string) =>
    spec.rootDisk === disk || busy.includes(disk) || (spec.disks ?? []).some(data => data.disk === disk)
  const owners = (disk: string) => [...machines.values()].filter(m => has(m, disk)).map(m => m.spec.id)
  const hasPort = (port: string) => [...networks.values()].some(n => portsOf(n).has(port))

  const checkDisks = ({ spec: { id, rootDisk, disks: data = [] } }: Machine) => {
    if (rootDisk === undefined) throw new Error(`machine ${id} has no root disk`)
    for (const disk of [rootDisk, ...data.map(one => one.disk)]) if (!disks.has(disk)) throw new Error(`no disk ${disk}`)
  }

  const engine: FakeEngine = {
    name: 'fake', machinesById: machines, disksById: disks, networksById: networks,
    trafficByPort: traffic, processorsById: new Map(), served: { host: [], store: [], addresses: [] }, flowsById: new Map(), outage: false,
    capacity: async () => ({ cpus, memoryMiB, diskGiB: DISK_GIB, architecture: 'x86_64' }),
    freeGiB: DISK_GIB,
    diskFreeGiB: () => engine.freeGiB,
    close: async () => {},
    guest: {
      shutdown: id => off(id, 'shutdown'),
      reboot: id => boot(id, machine(id), 'restarted'),
      mount: (id, disk) => { (machine(id).mounted ??= []).push(disk) },
      umount(id, disk) {
        const m = machine(id)
        Object.assign(m, { mounted: m.mounted?.filter(other => other !== disk), busy: m.busy?.filter(other => other !== disk) })
      },
    },
    switchOn: id => boot(id, machine(id), 'started'),
    powerCut() {
      for (const m of machines.values()) if (m.power === 'on') Object.assign(m, { power: 'off', cut: true })
    },
    lose(id) { machines.delete(id); tell(id, 'deleted') },
    loseNetwork(id) { networks.delete(id); for (const watcher of networkWatchers) watcher(id) },
    machines: {
      observe: async id => (engine.outage ? 'unknown' : machines.has(id) ? seen(machine(id)) : 'absent'),
      list: async () => (engine.outage ? 'unknown' : [...machines.keys()]),
      async create(spec) {
        const there = machines.has(spec.id)
        await act('machine.create', spec.id, () => {
          if (!there) machines.set(spec.id, { spec: structuredClone(spec), power: 'off', boots: 0, console: '' })
        })
        return !there
      },
      prepare: id => act('machine.prepare', id, () => checkDisks(machine(id))),
      start: id => act('machine.start', id, () => {
        const { power, spec: { ports } } = machine(id)
        if (power === 'on') return
        checkDisks(machine(id))
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
      attachDisk: (id, disk) => act('machine.attachDisk', id, () => {
        const { spec } = machine(id)
        if (!disks.has(disk.disk)) throw new Error(`no disk ${disk.disk}`)
        if (spec.disks?.some(other => other.disk === disk.disk)) return
        const others = [...machines.values()].filter(m => has(m, disk.disk))
        const shares = (m: Machine) => disk.shared && m.spec.disks?.some(other => other.disk === disk.disk && other.shared)
        if (others.some(m => !shares(m))) throw new Error(`disk ${disk.disk} is ${owners(disk.disk)}'s`)
        spec.disks = [...(spec.disks ?? []), structuredClone(disk)]
      }),
      detachDisk: (id, disk, { force }) => act('machine.detachDisk', id, () => {
        const m = machine(id)
        const held = m.mounted?.includes(disk) && !force
        if (held && m.spec.disks?.some(other => other.disk === disk)) m.busy = [...(m.busy ?? []), disk]
        m.spec.disks = m.spec.disks?.filter(other => other.disk !== disk)
        if (force) engine.guest.umount(id, disk)
      }),
      setRoot: (id, disk) => act('machine.setRoot', id, () => {
        if (machine(id).power === 'on') throw new Error(`machine ${id} is on`)
        machine(id).spec.rootDisk = disk
      }),
      resize: (id, limits) => act('machine.resize', id, () => { Object.assign(machine(id).spec, limits) }),
      console: async id => Buffer.from(machine(id).console),
      terminal: async () => undefined,
      reachable: async id => (engine.outage ? 'unknown' : machines.get(id)?.power === 'on'),
      watch(callback) { watchers.add(callback); return () => watchers.delete(callback) },
    },
    disks: openFakeDisks({ disks, images, act, owners, down: () => engine.outage }),
    meters: {
      async processors(ids) {
        if (engine.outage) return 'unknown'
        return Object.fromEntries(ids.flatMap(id => { const time = engine.processorsById.get(id); return time ? [[id, time]] : [] }))
      },
    },
    networks: {
      up: async () => {},
      down: async () => networks.clear(),
      serve: domains => act('network.serve', '', () => { engine.served = domains }),
      // Nobody can connect to a port of memory.
      answering: () => {},
      async apply(spec) {
        const had = new Set(networks.get(spec.id)?.ports.map(port => port.id))
        await act('network.apply', spec.id, () => { networks.set(spec.id, structuredClone(spec)) })
        return spec.ports.map(port => port.id).filter(id => !had.has(id))
      },
      async observe(id) {
        if (engine.outage) return 'unknown'
        const network = networks.get(id)
        return network ? { ports: network.ports.map(p => p.id) } : 'absent'
      },
      async flows(id) {
        if (engine.outage) return 'unknown'
        if (!networks.has(id)) return 'absent'
        const flows = engine.flowsById.get(id) ?? []
        engine.flowsById.delete(id)
        return { flows, isPartial: false }
      },
      list: async () => (engine.outage ? 'unknown' : [...networks.keys()]),
      async traffic(id) {
        if (engine.outage) return 'unknown'
        const network = networks.get(id)
        const none = { bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0 }
        return network ? Object.fromEntries(network.ports.map(p => [p.id, traffic.get(p.id) ?? none])) : 'absent'
      },
      delete: id => act('network.delete', id, () => { networks.delete(id) }),
      watch(callback) { networkWatchers.add(callback); return () => networkWatchers.delete(callback) },
      portDevice: index => `fake${index}`,
    },
  }
  return engine
}
