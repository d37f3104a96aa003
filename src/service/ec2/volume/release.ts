/**
 * What becomes of an instance's volumes when it is terminated and its machine is gone. Called inside a driver's transaction.
 *
 * Invariant: a volume that is being detached stays, whatever it was to do at the end of the instance.
 */
import { attaching, attachmentsOf, attachmentTo, volume, type VolumeRow } from '#service/ec2/volume/volume'
import type { Tx } from '#store/store'

/** Those that go with it are to be deleted, unless others have them too; the others are free again. */
export async function releaseVolumes(tx: Tx, instance: string, volumes: readonly VolumeRow[]): Promise<void> {
  for (const row of volumes) {
    const { deleteOnTermination, moving } = attachmentTo(row, instance)!
    const goes = deleteOnTermination && moving !== 'detaching' && attachmentsOf(row).length === 1
    await volume.update(tx, row, goes
      ? { spec: { ...attaching(row, instance, undefined), desired: 'absent' }, status: { state: 'deleting' } }
      : { spec: attaching(row, instance, undefined) }, goes ? 'deleting' : 'detached')
  }
}
