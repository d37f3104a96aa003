/**
 * ModifyVolume: another size, type or rate, also while the volume is in use. The record says at once what is wanted; the volume's loop makes
 * the disk so.
 *
 * Invariant: one modification at a time; a volume never shrinks.
 */
import type { ModifyVolumeRequest } from '@aws-sdk/client-ec2'
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { incorrectState, invalidCombination, invalidValue } from '#service/ec2/errors'
import { checkSpace, unsupportedMultiAttach } from '#service/ec2/volume/create'
import { LIMITS, provision, volumeType } from '#service/ec2/volume/limits'
import { attachmentsOf, volume, type Shape, type VolumeRow } from '#service/ec2/volume/volume'
import { isIn, volumes } from '#service/ec2/states'

const shapeOf = ({ spec: { sizeGiB, type, iops, throughput, multiAttach } }: VolumeRow): Shape => ({ sizeGiB, type, iops, throughput, multiAttach })

function target(row: VolumeRow, input: ModifyVolumeRequest): Shape {
  const before = shapeOf(row)
  const type = volumeType(input.VolumeType ?? before.type)
  const sizeGiB = input.Size ?? before.sizeGiB
  if (sizeGiB < before.sizeGiB) throw invalidValue('size', sizeGiB, 'New size cannot be smaller than existing size.')
  // Rates belong to a type: another type begins with its own, but io1 and io2 pass theirs on (EBS User Guide, "Request volume modifications").
  const provisioned = (name: Shape['type']) => name === 'io1' || name === 'io2'
  const kept = type === before.type || (provisioned(type) && provisioned(before.type))
  const rates = provision({
    type, sizeGiB, iops: input.Iops ?? (kept ? before.iops : undefined),
    throughput: input.Throughput ?? (type === before.type ? before.throughput : undefined),
  })
  const multi = input.MultiAttachEnabled ?? before.multiAttach ?? false
  if (multi && !provisioned(type)) throw unsupportedMultiAttach(type)
  return { sizeGiB, type, ...rates, ...(multi && { multiAttach: true }) }
}

/** EBS User Guide, "Multi-Attach": io2 alone, and only while it is attached to no instance. */
function checkMultiAttach(row: VolumeRow, to: Shape): void {
  if ((row.spec.multiAttach ?? false) === (to.multiAttach ?? false)) return
  if (row.spec.type !== 'io2') throw invalidCombination('Multi-Attach can be switched for io2 volumes only.')
  if (attachmentsOf(row).length > 0) throw incorrectState(`Multi-Attach of volume '${row.id}' can't be switched while it is attached.`)
}

export async function modifyVolume(context: Context, call: Call<ModifyVolumeRequest>): Promise<VolumeRow> {
  const { tx, input, now } = call
  const row = await volume.get(tx, call, input.VolumeId!)
  const { state, modification } = row.status
  if ([input.Size, input.VolumeType, input.Iops, input.Throughput, input.MultiAttachEnabled].every(value => value === undefined)) {
    throw invalidCombination('At least one of size, volumeType, iops, throughput and multiAttachEnabled must be specified.')
  }
  if (!isIn(volumes.modify, state)) throw incorrectState(`Volume '${row.id}' is in the '${state}' state: it can't be modified.`)
  if (modification?.state === 'modifying') {
    throw new ApiError('IncorrectModificationState', `Volume '${row.id}' is being modified: wait until that is done.`)
  }
  // EBS User Guide, "Elastic Volumes limitations": not for the previous generation's magnetic volumes.
  if (row.spec.type === 'standard' || input.VolumeType === 'standard') {
    throw invalidValue('volumeType', 'standard', 'Magnetic volumes can\'t be modified.')
  }
  const to = target(row, input)
  if (attachmentsOf(row).some(one => one.root) && !LIMITS[to.type].bootable) throw invalidValue('volumeType', to.type, 'It can\'t be a root volume.')
  checkMultiAttach(row, to)
  if (to.sizeGiB > row.spec.sizeGiB) checkSpace(context)
  return volume.update(tx, row, {
    spec: { ...to, iops: to.iops, throughput: to.throughput, multiAttach: to.multiAttach },
    status: { modification: { from: shapeOf(row), to, start: now.toISOString(), state: 'modifying' } },
  }, 'modifying')
}
