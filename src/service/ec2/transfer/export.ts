/**
 * ExportImage: an image's disk becomes a file in a bucket. VM Import/Export User Guide, "Exporting a VM directly from an AMI".
 *
 * Invariant: the object is whole or absent; a task that a crash interrupted begins anew.
 */
import type * as sdk from '@aws-sdk/client-ec2'
import { resourceId } from '#base/id'
import type { Actions, Call } from '#kit/action'
import { describe } from '#kit/describe'
import { ApiError } from '#kit/error'
import { resource, tagList } from '#kit/resource'
import { rest, type Driver } from '#loop/driver'
import type { Context } from '#service/ec2/context'
import { incorrectState, invalidValue, unsupported } from '#service/ec2/errors'
import { getOwnImage, image, mappingsOf } from '#service/ec2/image/image'
import { through } from '#service/ec2/outage'
import { snapshot } from '#service/ec2/snapshot/snapshot'
import { cancelled, formatOf, formats, type Format } from '#service/ec2/transfer/formats'
import { arnOf, checkRole, GIVE_UP_AFTER } from '#service/ec2/transfer/pour'
import { watched } from '#service/ec2/transfer/progress'
import type { Row } from '#store/store'

type Spec = { image: string; format: Format; bucket: string; prefix: string; key: string; description: string; role: string }
type Status = { state: 'active' | 'completed' | 'deleted'; progress?: number; message?: string }
export type ExportRow = Row<Spec, Status>

export const exportTask = resource<Spec, Status, sdk.ExportImageTask>({
  kind: 'export-image-task', prefix: 'export-ami', label: 'export image task', missing: 'InvalidExportTaskID.NotFound',
  malformed: 'InvalidExportTaskID.Malformed', filters: { 'task-state': 'Status' },
  view: ({ id, spec, status, tags }) => ({
    ExportImageTaskId: id, Description: spec.description, ImageId: spec.image, Status: status.state, StatusMessage: status.message,
    ...(status.state === 'active' && { Progress: String(status.progress ?? 0) }),
    S3ExportLocation: { S3Bucket: spec.bucket, S3Prefix: spec.prefix }, Tags: tagList(tags),
  }),
})

async function ask({ objects }: Context, call: Call<sdk.ExportImageRequest>): Promise<ExportRow> {
  const { input, tx, account, region, now } = call
  const { S3Bucket: bucket, S3Prefix: prefix = '' } = input.S3ExportLocation!
  if (!objects) throw unsupported('ExportImage without S3')
  const format = formatOf(input.DiskImageFormat, { name: 'DiskImageFormat', known: ['VMDK', 'RAW', 'VHD'] })
  const { Description: description = '', RoleName: role = 'vmimport' } = input
  if (description.length > 255) throw invalidValue('description', description, 'It may have up to 255 characters.')
  const row = await getOwnImage(tx, call, input.ImageId!)
  if (row.status.state !== 'available') throw incorrectState(`The image '${row.id}' is ${row.status.state}.`)
  if (mappingsOf(row.spec).filter(({ ebs }) => ebs).length > 1) throw unsupported('ExportImage of an image with several volumes')
  await checkRole(call, role)
  const id = resourceId(exportTask.prefix)
  const key = `${prefix}${id}.${format.toLowerCase()}`
  await call.permit({ action: 's3:PutObject', resource: arnOf({ bucket: bucket!, key }) })
  return tx.put(exportTask.make({
    account, region, now, id, tags: call.tags(exportTask.kind), status: { state: 'active', progress: 0, message: 'validating' },
    spec: { image: row.id, format, bucket: bucket!, prefix, key, description, role },
  }), 'asked')
}

export const actions = (context: Context): Actions<typeof sdk> => ({
  async ExportImage(call) {
    const row = await ask(context, call)
    return { ...exportTask.view(row, undefined), DiskImageFormat: row.spec.format, RoleName: row.spec.role }
  },

  DescribeExportImageTasks: describe(exportTask, 'ExportImageTaskIds', 'ExportImageTasks'),

  /** API Reference, CancelExportTask: of a task that ended it is an error. */
  async CancelExportTask({ tx, input, ...place }) {
    const row = await exportTask.get(tx, place, input.ExportTaskId!)
    if (row.status.state !== 'active') throw new ApiError('IncorrectState', `The task ${row.id} is ${row.status.state}.`)
    await exportTask.update(tx, row, { status: { state: 'deleted', message: 'cancelled', progress: undefined } }, 'cancelled')
    return {}
  },
})

export function exportDriver(context: Context): Driver<ExportRow, 'there'> {
  const { store, engine, objects } = context
  return {
    kind: exportTask.kind,
    observe: async () => 'there',
    plan: ({ status }) => (status.state === 'active' ? { act: 'export' } : rest),
    acts: through(context, {
      async export(row) {
        const { account, region, spec: { bucket, key, format } } = row
        const found = await image.find(store, row.spec.image)
        const from = found && mappingsOf(found.spec).find(({ device }) => device === found.spec.rootDevice)?.ebs?.snapshot
        const taken = from === undefined ? undefined : await snapshot.find(store, from)
        if (!taken || taken.spec.desired === 'absent') throw new Error('ClientError: the image or its snapshot is gone')
        const usage = await engine.disks.usage(taken.id)
        const still = (status: Partial<Status>) => store.transact(async tx => {
          const now = await exportTask.find(tx, row.id)
          if (now?.status.state !== 'active') throw cancelled()
          return exportTask.update(tx, now, { status }, status.state ?? 'progress')
        })
        await still({ message: 'converting' })
        const { sizeGiB } = taken.spec
        const bytes = format === 'RAW' ? sizeGiB * 2 ** 30 : typeof usage === 'object' ? usage.bytes : 0
        const file = async function* (): AsyncIterable<Uint8Array> {
          const all = formats[format].file(engine.disks.contents(taken.id), sizeGiB)
          yield* watched(all, { bytes, size: piece => piece.length, tell: progress => still({ progress }) })
          // One that was cancelled leaves no object.
          await still({ progress: 99 })
        }
        await objects!.write({ account, region, bucket, key }, file())
        await still({ state: 'completed', progress: 100, message: undefined })
      },
    }),
    writes: {},
    surrender: {
      after: GIVE_UP_AFTER,
      async write(tx, row, error) {
        if (row.status.state !== 'active') return
        await exportTask.update(tx, row, { status: { state: 'deleted', message: error.message.slice(0, 500), progress: undefined } }, 'failed')
      },
    },
  }
}
