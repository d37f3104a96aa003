/**
 * The disks of an instance's machine, after its volumes: which it should have, how it comes to them, and what the volumes say of it.
 *
 * Invariants: a volume is free for another instance only after this machine was seen without its disk; what a guest has still mounted is
 * `busy` and stays the instance's. The root disk changes only while the machine is off.
 */
import type { MachineDisk, MachineSeen } from '#engine/port'
import type { Context } from '#service/ec2/context'
import { dataVolumes, ownVolumes } from '#service/ec2/instance/belongings'
import { ephemeralDisks, wantedEphemeral } from '#service/ec2/instance/ephemeral'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'
import type { Seen } from '#service/ec2/instance/plan'
import { guestDevice } from '#service/ec2/volume/device'
import { attaching, attachmentTo, volume, type VolumeRow } from '#service/ec2/volume/volume'
import type { Tx } from '#store/store'

/** What `lsblk -o MODEL` shows of an EBS volume on EC2. */
const MODEL = 'Amazon Elastic Block Store'

const stays = (row: InstanceRow) => (own: VolumeRow): boolean => attachmentTo(own, row.id)!.moving !== 'detaching'

/** The disk of the root volume that its machine should have; none while that is being detached. */
function wantedRoot(row: InstanceRow, own: VolumeRow[]): string | undefined {
  const root = own.find(({ id }) => id === row.spec.rootVolume)
  return root && stays(row)(root) ? root.id : undefined
}

function diskOf(row: InstanceRow, own: VolumeRow): MachineDisk {
  return {
    disk: own.id, device: guestDevice(attachmentTo(own, row.id)!.device), serial: own.id.replace('-', ''), model: MODEL,
    ...(own.spec.multiAttach && { shared: true }),
  }
}

export function disksOf({ store, engine, loop }: Pick<Context, 'store' | 'engine' | 'loop'>) {
  const wantedDisks = async (row: InstanceRow): Promise<MachineDisk[]> => [
    ...(await dataVolumes(store, row)).filter(stays(row)).map(own => diskOf(row, own)),
    ...wantedEphemeral(row).map(({ disk, device, serial, model }) => ({ disk, device, serial, model })),
  ]

  /** A volume that has been whole and is gone since then fails what needs it. */
  async function settle(own: VolumeRow): Promise<void> {
    if (own.status.state === 'in-use') return
    await loop().settle('volume', own.id)
    const now = await volume.find(store, own.id)
    if (now?.status.state !== 'in-use') throw new Error(`volume ${own.id} is ${now?.status.state}: ${now?.status.reason}`)
  }

  /** Lets its volumes' disks be made, and makes those that live only with a run of the instance. */
  async function ready(row: InstanceRow): Promise<void> {
    const own = (await ownVolumes(store, row)).filter(stays(row))
    await Promise.all([
      ...own.map(settle),
      ...wantedEphemeral(row).map(({ disk, sizeGiB }) => engine.disks.create({ id: disk, sizeGiB })),
    ])
  }

  /** The end of the instance store of a machine that is off. */
  async function wipe(row: InstanceRow): Promise<void> {
    for (const { disk } of ephemeralDisks(row)) {
      await engine.machines.detachDisk(row.id, disk, { force: true })
      await engine.disks.delete(disk)
    }
  }

  /** Whether a machine that is off still has to be rid of its instance store. */
  async function unwiped(row: InstanceRow): Promise<boolean> {
    if (row.spec.desired === 'running') return false
    const seen = await Promise.all(ephemeralDisks(row).map(({ disk }) => engine.disks.observe(disk)))
    return seen.some(one => typeof one === 'object')
  }

  async function move(row: InstanceRow): Promise<void> {
    const own = await ownVolumes(store, row)
    const found = await engine.machines.observe(row.id)
    if (typeof found === 'string') throw new Error(`machine ${row.id} is ${found}`)
    const wanted = await wantedDisks(row)
    for (const { disk, busy } of found.disks.filter(has => !wanted.some(one => one.disk === has.disk))) {
      const leaving = own.find(({ id }) => id === disk)
      const force = leaving ? attachmentTo(leaving, row.id)!.force === true : true
      if (!busy || force) await engine.machines.detachDisk(row.id, disk, { force })
    }
    if (row.spec.desired !== 'running') await wipe(row)
    await ready(row)
    const has = (disk: string) => found.disks.some(one => one.disk === disk && !one.busy)
    for (const disk of wanted) if (!has(disk.disk)) await engine.machines.attachDisk(row.id, disk)
    const root = wantedRoot(row, own)
    if (found.power === 'off' && found.rootDisk !== root) await engine.machines.setRoot(row.id, root)
  }

  return {
    ready,
    wanted: wantedDisks,
    move,
    wipe,

    /** Another root is there for a machine that runs: it is to be stopped, and started with that. */
    async swaps(row: InstanceRow, { power, rootDisk }: MachineSeen): Promise<boolean> {
      const wanted = row.spec.rootVolume
      if (power === 'off' || rootDisk === undefined || wanted === undefined || rootDisk === wanted) return false
      return (await volume.find(store, wanted))?.status.state === 'in-use'
    },

    /** What a plan needs to know of the disks that its machine was seen with. */
    async seen(row: InstanceRow, { power, disks, rootDisk }: MachineSeen): Promise<Seen['disks']> {
      const own = await ownVolumes(store, row)
      const has = new Set(disks.filter(({ busy }) => !busy).map(({ disk }) => disk))
      const wanted = new Set((await wantedDisks(row)).map(({ disk }) => disk))
      const busy = new Set(disks.filter(one => one.busy).map(({ disk }) => disk))
      const forced = own.some(one => busy.has(one.id) && attachmentTo(one, row.id)!.force)
      const other = rootDisk !== wantedRoot(row, own)
      const cold = power === 'off' && (other || await unwiped(row))
      if (cold || forced || has.size !== wanted.size || ![...wanted].every(disk => has.has(disk))) return 'apart'
      const unwritten = own.some(one => {
        const { moving, busy: known = false } = attachmentTo(one, row.id)!
        if (one.id === rootDisk || one.id === row.spec.rootVolume) return moving !== undefined && !other
        return moving === 'attaching' || (moving === 'detaching' && (!busy.has(one.id) || !known))
      })
      return unwritten ? { busy: [...busy] } : busy.size > 0 ? 'busy' : undefined
    },
  }
}

/** The machine has the disks that are wanted: what was attaching is attached, what was detaching is free, or busy. */
export async function writeDisks(tx: Tx, row: InstanceRow, { busy }: { busy?: string[] }): Promise<void> {
  const left = new Set<string>()
  for (const own of await ownVolumes(tx, row)) {
    const { moving, busy: _, ...attachment } = attachmentTo(own, row.id)!
    if (moving === 'attaching') await volume.update(tx, own, { spec: attaching(own, row.id, attachment) }, 'attached')
    if (moving !== 'detaching') continue
    if (busy?.includes(own.id)) {
      await volume.update(tx, own, { spec: attaching(own, row.id, { ...attachment, moving, busy: true }) }, 'busy')
      continue
    }
    left.add(own.id)
    await volume.update(tx, own, { spec: attaching(own, row.id, undefined) }, 'detached')
  }
  const { rootVolume, volumes = [] } = row.spec
  const keepsRoot = rootVolume !== undefined && !left.has(rootVolume)
  await instance.update(tx, row, {
    spec: { volumes: volumes.filter(id => !left.has(id)), rootVolume: keepsRoot ? rootVolume : undefined },
  }, 'disks')
}
