/** What an instance has, and what it leaves when it stops or ends: its public address, its interfaces, its volumes. */
import type { InstanceRow } from '#service/ec2/instance/instance'
import { releaseInterface, takePublicAddress } from '#service/ec2/network-interface/allocate'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { releaseVolumes } from '#service/ec2/volume/release'
import { attachmentTo, volume, type VolumeRow } from '#service/ec2/volume/volume'
import type { Reader, Tx } from '#store/store'

async function volumesNamed(reader: Reader, row: InstanceRow, ids: string[]): Promise<VolumeRow[]> {
  const rows = await Promise.all(ids.map(id => volume.find(reader, id)))
  return rows.filter(own => own && attachmentTo(own, row.id)) as VolumeRow[]
}

/** Its volumes besides the root, those that are being detached too, in the order of attaching. */
export const dataVolumes = (reader: Reader, row: InstanceRow): Promise<VolumeRow[]> => volumesNamed(reader, row, row.spec.volumes ?? [])

/** All its volumes, the root first. */
export const ownVolumes = (reader: Reader, row: InstanceRow): Promise<VolumeRow[]> =>
  volumesNamed(reader, row, [...(row.spec.rootVolume === undefined ? [] : [row.spec.rootVolume]), ...row.spec.volumes ?? []])

/** Whether it has a root volume that is not being taken away. */
export async function hasRoot(reader: Reader, row: InstanceRow): Promise<boolean> {
  const root = row.spec.rootVolume === undefined ? undefined : await volume.find(reader, row.spec.rootVolume)
  const attachment = root && attachmentTo(root, row.id)
  return attachment !== undefined && attachment.moving !== 'detaching'
}

/** At a stop: Amazon's public address goes back to the pool; an Elastic IP stays (EC2 User Guide, "Stop and start"). */
export async function release(tx: Tx, row: InstanceRow): Promise<void> {
  for (const id of row.spec.interfaces) {
    const own = await networkInterface.find(tx, id)
    if (own) await takePublicAddress(tx, own)
  }
}

/** At the end: what is marked DeleteOnTermination goes, the rest is left detached. */
export async function detach(tx: Tx, row: InstanceRow): Promise<void> {
  for (const id of row.spec.interfaces) {
    const own = await networkInterface.find(tx, id)
    if (own?.spec.attachment?.instance !== row.id) continue
    if (own.spec.attachment.deleteOnTermination && own.spec.attachment.moving !== 'detaching') { await releaseInterface(tx, own); continue }
    const left = await takePublicAddress(tx, own)
    await networkInterface.update(tx, left, { spec: { attachment: undefined }, status: { state: 'available' } }, 'detached')
  }
  await releaseVolumes(tx, row.id, await ownVolumes(tx, row))
}
