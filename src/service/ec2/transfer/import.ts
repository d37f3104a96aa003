/**
 * ImportSnapshot: a raw disk in a bucket becomes a snapshot. VM Import/Export User Guide, "Import a disk as a snapshot using VM Import/Export".
 *
 * Invariant: the snapshot is open, and its account's alone, until all of the object is in it; one that can't be read leaves none.
 */
import type { ImportSnapshotTask, SnapshotTaskDetail } from '@aws-sdk/client-ec2'
import type * as sdk from '@aws-sdk/client-ec2'
import { trusts } from '#identity/assume'
import { roles } from '#identity/records'
import type { Actions, Call } from '#kit/action'
import { describe } from '#kit/describe'
import { ApiError } from '#kit/error'
import { resource, tagList } from '#kit/resource'
import { rest, type Driver, type Step } from '#loop/driver'
import type { Context, ObjectPlace } from '#service/ec2/context'
import { invalidValue, missingParameter, refuseMembers, unsupported } from '#service/ec2/errors'
import { snapshotsFor } from '#service/ec2/snapshot/direct'
import { snapshot } from '#service/ec2/snapshot/snapshot'
import { blocksOfRaw } from '#service/ec2/transfer/blocks'
import { watched } from '#service/ec2/transfer/progress'
import { checkSpace } from '#service/ec2/volume/create'
import type { Row } from '#store/store'

type Spec = { bucket: string; key: string; url?: string; description: string; snapshot?: string; bytes?: number }
type Status = { state: 'active' | 'completed' | 'deleted'; progress?: number; message?: string }
export type ImportRow = Row<Spec, Status>
type Seen = { snapshot: 'none' | 'gone' | 'open' | 'pending' | 'completed' | 'error' }

const GIB = 2 ** 30
const SOON_MS = 200

function detail({ spec, status }: ImportRow): SnapshotTaskDetail {
  return {
    Description: spec.description, DiskImageSize: spec.bytes, Encrypted: false, Format: 'RAW', Url: spec.url, Status: status.state,
    UserBucket: { S3Bucket: spec.bucket, S3Key: spec.key }, StatusMessage: status.message,
    ...(status.state === 'active' && { Progress: String(status.progress ?? 0) }),
    ...(status.state === 'completed' && { SnapshotId: spec.snapshot }),
  }
}

export const importTask = resource<Spec, Status, ImportSnapshotTask>({
  kind: 'import-snapshot-task', prefix: 'import-snap', label: 'import snapshot task', missing: 'InvalidConversionTaskId',
  malformed: 'InvalidConversionTaskId.Malformed', filters: {},
  view: row => ({ Description: row.spec.description, ImportTaskId: row.id, SnapshotTaskDetail: detail(row), Tags: tagList(row.tags) }),
})

/** `s3://bucket/key`, or the two by themselves. */
function sourceOf({ Url: url, UserBucket: bucket }: sdk.SnapshotDiskContainer): Pick<Spec, 'bucket' | 'key' | 'url'> {
  const [, fromUrl, keyOfUrl] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url ?? '') ?? []
  if (url !== undefined && fromUrl === undefined) throw unsupported('Url that is not s3://BUCKET/KEY')
  const found = { bucket: fromUrl ?? bucket?.S3Bucket, key: keyOfUrl ?? bucket?.S3Key }
  if (!found.bucket || !found.key) throw missingParameter('DiskContainer.UserBucket')
  return { bucket: found.bucket, key: found.key, ...(url !== undefined && { url }) }
}

/** User Guide, "Required permissions": the service role vmimport, which trusts vmie.amazonaws.com with the external id vmimport. */
export async function checkRole({ tx, account }: Call<object>, name = 'vmimport'): Promise<void> {
  const role = await roles.byName(tx, account, name)
  if (role && trusts(role, 'vmie.amazonaws.com', [['sts:externalid', ['vmimport']]])) return
  throw new ApiError('InvalidParameter', `The service role ${name} provided does not exist or does not have sufficient permissions`)
}

async function ask(context: Context, call: Call<sdk.ImportSnapshotRequest>): Promise<ImportRow> {
  const { input, tx, account, region, now } = call
  refuseMembers('ImportSnapshot', input, ['KmsKeyId', 'ClientData'])
  if (input.Encrypted) throw unsupported('encrypted snapshots')
  if (!context.objects) throw unsupported('ImportSnapshot without S3')
  const container = input.DiskContainer ?? {}
  const source = sourceOf(container)
  if (container.Format === undefined) throw missingParameter('DiskContainer.Format')
  if (!/^(raw|vhd|vhdx|vmdk)$/i.test(container.Format)) throw invalidValue('Format', container.Format)
  if (container.Format.toUpperCase() !== 'RAW') throw unsupported(`disks of the format ${container.Format}`)
  await checkRole(call, input.RoleName)
  await call.permit({ action: 's3:GetObject', resource: `arn:aws:s3:::${source.bucket}/${source.key}` })
  checkSpace(context)
  return tx.put(importTask.make({
    account, region, now, tags: call.tags('import-snapshot-task'), status: { state: 'active', progress: 0, message: 'pending' },
    spec: { ...source, description: input.Description ?? container.Description ?? '' },
  }), 'asked')
}

export const actions = (context: Context): Actions<typeof sdk> => ({
  async ImportSnapshot(call) {
    const { ImportTaskId, Description, SnapshotTaskDetail, Tags } = importTask.view(await ask(context, call), undefined)
    return { ImportTaskId, Description, SnapshotTaskDetail, Tags }
  },

  DescribeImportSnapshotTasks: describe(importTask, 'ImportTaskIds', 'ImportSnapshotTasks'),

  async CancelImportTask(call) {
    const { input, tx } = call
    if (input.ImportTaskId === undefined) throw missingParameter('ImportTaskId')
    const row = await importTask.get(tx, call, input.ImportTaskId)
    const PreviousState = row.status.state
    if (PreviousState === 'completed') throw new ApiError('IncorrectState', `The task ${row.id} is completed.`)
    if (PreviousState === 'active') {
      const message = input.CancelReason ?? 'cancelled'
      await importTask.update(tx, row, { status: { state: 'deleted', message, progress: undefined } }, 'cancelled')
      const made = row.spec.snapshot && await snapshot.find(tx, row.spec.snapshot)
      if (made) await snapshot.update(tx, made, { spec: { desired: 'absent' } }, 'deleting')
    }
    return { ImportTaskId: row.id, PreviousState, State: 'deleted' }
  },
})

export function plan({ status, spec }: Pick<ImportRow, 'status' | 'spec'>, { snapshot: seen }: Seen): Step {
  if (status.state !== 'active') return rest
  if (spec.snapshot === undefined) return { act: 'open' }
  if (seen === 'open') return { act: 'pour' }
  if (seen === 'completed') return { write: 'completed' }
  return seen === 'pending' ? { rest: true, againMs: SOON_MS } : { write: 'failed', message: 'ServerError: the snapshot is gone' }
}

export function importDriver(context: Context): Driver<ImportRow, Seen> {
  const { store, engine, objects } = context
  const placeOf = ({ account, region, spec: { bucket, key } }: ImportRow): ObjectPlace => ({ account, region, bucket, key })
  return {
    kind: importTask.kind,
    async observe({ spec }) {
      if (spec.snapshot === undefined) return { snapshot: 'none' }
      const row = await snapshot.find(store, spec.snapshot)
      if (!row || row.spec.desired === 'absent') return { snapshot: 'gone' }
      return { snapshot: row.spec.open ? 'open' : row.status.state }
    },
    plan,
    acts: {
      async open(row) {
        const bytes = await objects!.size(placeOf(row))
        if (bytes === undefined) throw new Error(`ClientError: no object s3://${row.spec.bucket}/${row.spec.key} that the account may read`)
        if (bytes === 0) throw new Error('ClientError: Disk validation failed [the object is empty]')
        await store.transact(async tx => {
          const now = await importTask.find(tx, row.id)
          if (now?.status.state !== 'active' || now.spec.snapshot !== undefined) return
          const { account, region, created, spec } = row
          const made = await snapshotsFor(context).start(tx, {
            account, region, now: new Date(created), sizeGiB: Math.ceil(bytes / GIB), description: spec.description, tags: {},
          })
          await importTask.update(tx, now, { spec: { snapshot: made.id, bytes }, status: { message: 'converting' } }, 'opened')
        })
      },
      async pour(row) {
        const id = row.spec.snapshot!
        await context.loop().settle(snapshot.kind, id)
        const going = async (percent: number) => store.transact(async tx => {
          const now = await importTask.find(tx, row.id)
          if (now?.status.state !== 'active') throw new Error('the task was cancelled')
          if (now.status.progress !== percent) await importTask.update(tx, now, { status: { progress: percent } }, 'progress')
        })
        const bytes = watched(objects!.read(placeOf(row)), { bytes: row.spec.bytes!, size: piece => piece.length, tell: going })
        await engine.disks.fill(id, blocksOfRaw(bytes))
        await store.transact(tx => snapshotsFor(context).complete(tx, id))
      },
    },
    writes: {
      completed: (tx, row) => importTask.update(tx, row, { status: { state: 'completed', message: undefined, progress: 100 } }, 'completed'),
      failed: (tx, row, { message }: { message?: string }) => importTask.update(tx, row, { status: { state: 'deleted', message } }, 'failed'),
    },
    surrender: {
      after: 3,
      async write(tx, row, error) {
        if (row.status.state !== 'active') return
        await importTask.update(tx, row, { status: { state: 'deleted', message: error.message.slice(0, 500), progress: undefined } }, 'failed')
        const made = row.spec.snapshot && await snapshot.find(tx, row.spec.snapshot)
        if (made) await snapshot.update(tx, made, { spec: { desired: 'absent' } }, 'deleting')
      },
    },
  }
}
