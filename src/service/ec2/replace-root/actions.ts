/** What may be asked about replacing root volumes. */
import type * as sdk from '@aws-sdk/client-ec2'
import { resourceId } from '#base/id'
import type { Actions, Call } from '#kit/action'
import { describe } from '#kit/describe'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { invalidCombination, invalidValue, refuseMembers } from '#service/ec2/errors'
import { getImages, imageForLaunch, mappingsOf, type ImageRow } from '#service/ec2/image/image'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'
import { task, type TaskRow } from '#service/ec2/replace-root/task'
import { getCompleted, type SnapshotRow } from '#service/ec2/snapshot/snapshot'
import { instances, isIn } from '#service/ec2/states'
import { checkSpace, putVolume } from '#service/ec2/volume/create'
import { plannedVolumes } from '#service/ec2/volume/mapping'
import { attaching, attachmentTo, volume, type VolumeRow } from '#service/ec2/volume/volume'

/** What the new root volume is made of: an image's root, or a snapshot; without either what the instance was launched with. */
async function sourceFor(call: Call<sdk.CreateReplaceRootVolumeTaskRequest>, holder: InstanceRow, old: VolumeRow): Promise<SnapshotRow> {
  const { input: { ImageId: image, SnapshotId: snapshot }, tx } = call
  if (image !== undefined && snapshot !== undefined) throw invalidCombination('ImageId and SnapshotId cannot be specified together.')
  if (snapshot !== undefined) {
    const found = await getCompleted(tx, call, snapshot)
    if (found.spec.sizeGiB > old.spec.sizeGiB) throw invalidValue('snapshotId', snapshot, 'It is larger than the root volume.')
    return found
  }
  const row = image === undefined ? (await getImages(tx, call, [holder.spec.image]))[0]! : await imageForLaunch(tx, call, image)
  if (row.spec.architecture !== holder.spec.architecture) throw invalidValue('imageId', row.id, `Its architecture is ${row.spec.architecture}.`)
  return rootOf(call, row)
}

async function rootOf(call: Call<object>, row: ImageRow): Promise<SnapshotRow> {
  const planned = await plannedVolumes(call.tx, call, row)
  const root = planned.find(one => one.root)?.snapshot
  if (!root) throw invalidValue('imageId', row.id, `It has no root volume: ${mappingsOf(row.spec).length} devices.`)
  return root
}

async function create(context: Context, call: Call<sdk.CreateReplaceRootVolumeTaskRequest>): Promise<TaskRow> {
  const { tx, input, account, region, now } = call
  const holder = await instance.get(tx, call, input.InstanceId!)
  if (input.VolumeId !== undefined) await volume.get(tx, call, input.VolumeId)
  if (input.SnapshotId !== undefined) await getCompleted(tx, call, input.SnapshotId)
  if (input.ImageId !== undefined) await getImages(tx, call, [input.ImageId])
  refuseMembers('CreateReplaceRootVolumeTask', input, ['VolumeInitializationRate', 'VolumeId'])
  const old = holder.spec.rootVolume === undefined ? undefined : await volume.find(tx, holder.spec.rootVolume)
  const attachment = old && attachmentTo(old, holder.id)
  if (!isIn(instances.replaceRoot, holder.status.state) || !old || !attachment || holder.spec.imaging) {
    throw new ApiError('IncorrectInstanceState', `The root volume of instance '${holder.id}' can't be replaced: it is ${holder.status.state}.`)
  }
  const busy = (await task.list(tx, call)).find(one => one.spec.instance === holder.id && ['pending', 'in-progress'].includes(one.status.state))
  if (busy) throw new ApiError('IncorrectState', `The root volume of instance '${holder.id}' is being replaced by task ${busy.id}.`)
  checkSpace(context)
  const source = await sourceFor(call, holder, old)
  const { sizeGiB, type, iops, throughput, zone } = old.spec
  const place = { account, region }
  const made = await putVolume(tx, {
    place, now, zone, shape: { sizeGiB: Math.max(sizeGiB, source.spec.sizeGiB), type, iops, throughput }, snapshot: source,
    // A snapshot brings the instance back to a former state of its own; an image begins anew.
    fresh: input.SnapshotId === undefined, tags: {},
    attachment: { ...attachment, time: now.toISOString(), moving: 'attaching' },
  })
  await volume.update(tx, old, { spec: attaching(old, holder.id, { ...attachment, root: false, moving: 'detaching' }) }, 'detaching')
  await instance.update(tx, holder, { spec: { rootVolume: made.id, volumes: [...holder.spec.volumes ?? [], old.id] } }, 'root-replacing')
  return tx.put(task.make({
    account, region, now, id: resourceId(task.prefix), tags: call.tags('replace-root-volume-task'), status: { state: 'pending' },
    spec: {
      instance: holder.id, volume: made.id, replaced: old.id, image: input.ImageId, snapshot: input.SnapshotId,
      deleteReplaced: input.DeleteReplacedRootVolume ?? false,
    },
  }), 'pending')
}

export const actions = (context: Context): Actions<typeof sdk> => ({
  async CreateReplaceRootVolumeTask(call) {
    return { ReplaceRootVolumeTask: task.view(await create(context, call), undefined) }
  },

  DescribeReplaceRootVolumeTasks: describe(task, 'ReplaceRootVolumeTaskIds', 'ReplaceRootVolumeTasks'),
})
