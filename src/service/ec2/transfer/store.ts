/**
 * Images as objects: CreateStoreImageTask and CreateRestoreImageTask. EC2 User Guide, "How AMI store and restore works".
 *
 * Invariants: a stored image is one object, whole or absent; a restored one is available when all of its object has been read, and what an object
 * says is checked as if it had been asked of the API, for anybody may have written it.
 */
import type { StoreImageTaskResult } from '@aws-sdk/client-ec2'
import type * as sdk from '@aws-sdk/client-ec2'
import { resourceId } from '#base/id'
import type { Actions, Call } from '#kit/action'
import { select } from '#kit/describe'
import { resource } from '#kit/resource'
import { readTags } from '#kit/tags'
import type { Context } from '#service/ec2/context'
import { incorrectState, invalidValue, unsupported } from '#service/ec2/errors'
import { checkName } from '#service/ec2/image/create'
import { getImages, getOwnImage, image } from '#service/ec2/image/image'
import { checkSpace } from '#service/ec2/volume/create'
import type { Row } from '#store/store'

export type Spec = {
  what: 'store' | 'restore'
  image: string
  bucket: string
  key: string
  tags?: Record<string, string>
  /** Of a restored image, where it is not the stored one's; the snapshots that are being written. */
  name?: string
  snapshots?: string[]
}
export type Status = { state: 'InProgress' | 'Completed' | 'Failed'; progress: number; reason?: string }
export type ImageTaskRow = Row<Spec, Status>

export const imageTask = resource<Spec, Status, StoreImageTaskResult>({
  kind: 'image-task', prefix: 'image-task', label: 'image task', missing: 'InvalidAMIID.NotFound', malformed: 'InvalidAMIID.Malformed',
  view: ({ spec, status, created }) => ({
    AmiId: spec.image, Bucket: spec.bucket, S3objectKey: spec.key, TaskStartTime: new Date(created), StoreTaskState: status.state,
    ProgressPercentage: status.progress, StoreTaskFailureReason: status.reason,
  }),
  filters: { 'task-state': 'StoreTaskState', bucket: 'Bucket' },
})

const arn = (bucket: string, key: string): string => `arn:aws:s3:::${bucket}/${key}`

async function storing({ objects }: Context, call: Call<sdk.CreateStoreImageTaskRequest>): Promise<ImageTaskRow> {
  const { input, tx, account, region, now } = call
  if (!objects) throw unsupported('CreateStoreImageTask without S3')
  const row = await getOwnImage(tx, call, input.ImageId!)
  if (row.status.state !== 'available') throw incorrectState(`The image '${row.id}' is ${row.status.state}.`)
  const key = `${row.id}.bin`
  const busy = (await imageTask.list(tx, call)).find(({ spec, status }) =>
    spec.what === 'store' && spec.image === row.id && spec.bucket === input.Bucket && status.state === 'InProgress')
  if (busy) throw incorrectState(`The image '${row.id}' is being stored in that bucket already.`)
  await call.permit({ action: 's3:PutObject', resource: arn(input.Bucket!, key) })
  const tags = readTags(input.S3ObjectTags ?? [])
  return tx.put(imageTask.make({
    account, region, now, tags: {}, status: { state: 'InProgress', progress: 0 },
    spec: { what: 'store', image: row.id, bucket: input.Bucket!, key, tags },
  }), 'asked')
}

async function restoring(context: Context, call: Call<sdk.CreateRestoreImageTaskRequest>): Promise<ImageTaskRow> {
  const { input, tx, account, region, now } = call
  const { Bucket: bucket, ObjectKey: key, Name: name } = input
  if (!context.objects) throw unsupported('CreateRestoreImageTask without S3')
  if (!/^ami-[0-9a-f]+\.bin$/.test(key!)) throw invalidValue('objectKey', key, 'It must be the key of a stored image.')
  if (name !== undefined) await checkName(call, name)
  await call.permit({ action: 's3:GetObject', resource: arn(bucket!, key!) })
  checkSpace(context)
  const id = resourceId(image.prefix)
  await tx.put(image.make({
    account, region, now, id, tags: call.tags('image'), status: { state: 'pending' },
    spec: {
      name: name ?? '', description: '', architecture: 'x86_64', mappings: [], rootDevice: '', rootSizeGiB: 0, owner: 'self', public: false, user: '',
      restoring: true,
    },
  }), 'pending')
  // Snapshots are tagged when they are made.
  const tags = call.tags('snapshot')
  return tx.put(imageTask.make({
    account, region, now, tags: {}, status: { state: 'InProgress', progress: 0 },
    spec: { what: 'restore', image: id, bucket: bucket!, key: key!, tags, ...(name !== undefined && { name }) },
  }), 'asked')
}

/** User Guide: tasks of the last 31 days. */
const SHOWN_MS = 31 * 86_400_000

export const actions = (context: Context): Actions<typeof sdk> => ({
  async CreateStoreImageTask(call) {
    return { ObjectKey: (await storing(context, call)).spec.key }
  },

  async CreateRestoreImageTask(call) {
    return { ImageId: (await restoring(context, call)).spec.image }
  },

  async DescribeStoreImageTasks(call) {
    const { ImageIds: ids = [] } = call.input
    await getImages(call.tx, call, ids)
    const rows = (await imageTask.list(call.tx, call)).filter(({ spec, created }) => spec.what === 'store'
      && call.now.getTime() - Date.parse(created) < SHOWN_MS && (ids.length === 0 || ids.includes(spec.image)))
    const { hits, next } = await select(call, imageTask, { ids: undefined, rows, page: { least: 1, most: 200 } })
    return { StoreImageTaskResults: hits.map(({ view }) => view), NextToken: next }
  },
})
