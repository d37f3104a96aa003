/** What an instance leaves when it stops or ends: its public address, its interfaces, its volumes. */
import type { InstanceRow } from '#service/ec2/instance/instance'
import { releaseInterface, takePublicAddress } from '#service/ec2/network-interface/allocate'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { releaseVolumes } from '#service/ec2/volume/root'
import type { Tx } from '#store/store'

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
  await releaseVolumes(tx, row, row.id)
}
