/**
 * The network ports of an instance's machine, after its interfaces: which it should have, how it comes to them, and what the
 * interfaces say of it.
 *
 * Invariant: an interface is free for another instance only after this machine was seen without its port.
 */
import type { MachinePort } from '#engine/port'
import type { Context } from '#service/ec2/context'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'
import type { Seen } from '#service/ec2/instance/plan'
import { networkInterface, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import type { Reader, Tx } from '#store/store'

/** The interfaces that are the instance's, those that are being detached too, in order of device index. */
export async function ownInterfaces(reader: Reader, row: InstanceRow): Promise<InterfaceRow[]> {
  const rows = await Promise.all(row.spec.interfaces.map(id => networkInterface.find(reader, id)))
  return rows.filter(own => own?.spec.attachment?.instance === row.id) as InterfaceRow[]
}

const wanted = (rows: InterfaceRow[]): InterfaceRow[] => rows.filter(own => own.spec.attachment!.moving !== 'detaching')

export function portsOf({ store, engine, loop }: Pick<Context, 'store' | 'engine' | 'loop'>) {
  const portOf = ({ id, spec }: InterfaceRow): MachinePort =>
    // The first device is ens5 on EC2's Nitro system, and each index has its own place.
    ({ port: id, device: engine.networks.portDevice(spec.index), name: `ens${5 + spec.attachment!.deviceIndex}` })

  const wantedPorts = async (row: InstanceRow): Promise<MachinePort[]> => wanted(await ownInterfaces(store, row)).map(portOf)

  /** Lets the networks make the ports that its machine should have. */
  async function ready(row: InstanceRow): Promise<void> {
    const rows = wanted(await ownInterfaces(store, row))
    await Promise.all([...new Set([row.spec.vpc, ...rows.map(own => own.spec.vpc)])].map(id => loop().settle('vpc', id)))
  }

  return {
    ready,
    wanted: wantedPorts,

    /** What a plan needs to know of the devices that its machine was seen with. */
    async seen(row: InstanceRow, devices: readonly string[]): Promise<Seen['ports']> {
      const rows = await ownInterfaces(store, row)
      const should = new Set(wanted(rows).map(own => portOf(own).device))
      if (should.size !== devices.length || !devices.every(device => should.has(device))) return 'apart'
      return rows.some(own => own.spec.attachment!.moving) ? 'unwritten' : undefined
    },

    /** Takes away the ports that are no longer wanted, then gives those that are. */
    async move(row: InstanceRow): Promise<void> {
      await ready(row)
      const ports = await wantedPorts(row)
      const found = await engine.machines.observe(row.id)
      if (typeof found === 'string') throw new Error(`machine ${row.id} is ${found}`)
      const should = new Set(ports.map(port => port.device))
      for (const device of found.devices.filter(name => !should.has(name))) await engine.machines.detach(row.id, device)
      for (const port of ports.filter(({ device }) => !found.devices.includes(device))) await engine.machines.attach(row.id, port)
    },
  }
}

/** The machine has the ports that are wanted: what was attaching is attached, what was detaching is free. */
export async function writePorts(tx: Tx, row: InstanceRow): Promise<void> {
  const left = new Set<string>()
  for (const own of await ownInterfaces(tx, row)) {
    const { moving, ...attachment } = own.spec.attachment!
    if (moving === 'attaching') await networkInterface.update(tx, own, { spec: { attachment } }, 'attached')
    if (moving !== 'detaching') continue
    left.add(own.id)
    await networkInterface.update(tx, own, { spec: { attachment: undefined }, status: { state: 'available' } }, 'detached')
  }
  await instance.update(tx, row, { spec: { interfaces: row.spec.interfaces.filter(id => !left.has(id)) } }, 'ports')
}
