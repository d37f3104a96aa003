/**
 * ImportSnapshot: a disk's file in a bucket becomes a snapshot. VM Import/Export User Guide, "Import a disk as a snapshot using VM Import/Export".
 *
 * Invariant: the snapshot is open, and its account's alone, until all of the object is in it; one that can't be read leaves none.
 */
import type { ImportSnapshotTask, SnapshotTaskDetail } from '@aws-sdk/client-ec2'
import type * as sdk from '@aws-sdk/client-ec2'
import type { Actions, Call } from '#kit/action'
import { describe } from '#kit/describe'
import { resource, tagList } from '#kit/resource'
import { rest, type Driver, type Step } from '#loop/driver'
import type { Context, ObjectPlace } from '#service/ec2/context'
import { missingParameter, refuseMembers, unsupported } from '#service/ec2/errors'
import { through } from '#service/ec2/outage'
import { snapshotsFor } from '#service/ec2/snapshot/direct'
import { snapshot } from '#service/ec2/snapshot/snapshot'
import { cancelled, formatOf, type Format } from '#service/ec2/transfer/formats'
import { askImport, importImageTask, refuseEnded } from '#service/ec2/transfer/import-image'
import { endImport } from '#service/ec2/transfer/import-image-drive'
import { arnOf, checkRole, drop, GIVE_UP_AFTER, measured, pour, sourceOf, type Source } from '#service/ec2/transfer/pour'
import { checkSpace } from '#service/ec2/volume/create'
import type { Row, Tx } from '#store/store'

/** `format`: raw, where there is none. */
type Spec = Source & { description: string; format?: Format; snapshot?: string; bytes?: number }
type Status = { state: 'active' | 'completed' | 'deleted'; progress?: number; message?: string }
export type ImportRow = Row<Spec, Status>
type Seen = { snapshot: 'none' | 'gone' | 'open' | 'pending' | 'completed' | 'error' }

const SOON_MS = 200

function detail({ spec, status }: ImportRow): SnapshotTaskDetail {
  return {
    Description: spec.description, DiskImageSize: spec.bytes, Encrypted: false, Format: spec.format ?? 'RAW', Url: spec.url, Status: status.state,
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

async function ask(context: Context, call: Call<sdk.ImportSnapshotRequest>): Promise<ImportRow> {
  const { input, tx, account, region, now } = call
  refuseMembers('ImportSnapshot', input, ['KmsKeyId', 'ClientData'])
  if (input.Encrypted) throw unsupported('encrypted snapshots')
  if (!context.objects) throw unsupported('ImportSnapshot without S3')
  const container = input.DiskContainer ?? {}
  const source = sourceOf(container, 'DiskContainer')
  const format = formatOf(container.Format, { name: 'DiskContainer.Format', known: ['RAW', 'VHD', 'VHDX', 'VMDK'] })
  await checkRole(call, input.RoleName)
  await call.permit({ action: 's3:GetObject', resource: arnOf(source) })
  checkSpace(context)
  return tx.put(importTask.make({
    account, region, now, tags: call.tags('import-snapshot-task'), status: { state: 'active', progress: 0, message: 'pending' },
    spec: { ...source, description: input.Description ?? container.Description ?? '', ...(format !== 'RAW' && { format }) },
  }), 'asked')
}

/** Came to nothing: no snapshot is left of it. */
async function endWithout(tx: Tx, row: ImportRow, message: string, name: 'cancelled' | 'failed'): Promise<void> {
  await importTask.update(tx, row, { status: { state: 'deleted', message, progress: undefined } }, name)
  await drop(tx, [row.spec.snapshot])
}

export const actions = (context: Context): Actions<typeof sdk> => ({
  async ImportSnapshot(call) {
    const { ImportTaskId, Description, SnapshotTaskDetail, Tags } = importTask.view(await ask(context, call), undefined)
    return { ImportTaskId, Description, SnapshotTaskDetail, Tags }
  },

  async ImportImage(call) {
    return importImageTask.view(await askImport(context, call), undefined)
  },

  DescribeImportImageTasks: describe(importImageTask, 'ImportTaskIds', 'ImportImageTasks'),

  DescribeImportSnapshotTasks: describe(importTask, 'ImportTaskIds', 'ImportSnapshotTasks'),

  async CancelImportTask(call) {
    const { input, tx } = call
    if (input.ImportTaskId === undefined) throw missingParameter('ImportTaskId')
    const message = input.CancelReason ?? 'cancelled'
    if (input.ImportTaskId.startsWith(`${importImageTask.prefix}-`)) {
      const row = await importImageTask.get(tx, call, input.ImportTaskId)
      refuseEnded(row)
      if (row.status.state === 'active') await endImport(tx, row, message)
      return { ImportTaskId: row.id, PreviousState: row.status.state, State: 'deleted' }
    }
    const row = await importTask.get(tx, call, input.ImportTaskId)
    const PreviousState = row.status.state
    refuseEnded(row)
    if (PreviousState === 'active') await endWithout(tx, row, message, 'cancelled')
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
  const { store, objects } = context
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
    acts: through(context, {
      async open(row) {
        const { bytes, sizeGiB } = await measured(objects!, placeOf(row), row.spec.format ?? 'RAW')
        await store.transact(async tx => {
          const now = await importTask.find(tx, row.id)
          if (now?.status.state !== 'active' || now.spec.snapshot !== undefined) return
          const { account, region, created, spec } = row
          const made = await snapshotsFor(context).start(tx, {
            account, region, now: new Date(created), sizeGiB, description: spec.description, tags: {},
          })
          await importTask.update(tx, now, { spec: { snapshot: made.id, bytes }, status: { message: 'converting' } }, 'opened')
        })
      },
      async pour(row) {
        const tell = async (percent: number) => store.transact(async tx => {
          const now = await importTask.find(tx, row.id)
          if (now?.status.state !== 'active') throw cancelled()
          if (now.status.progress !== percent) await importTask.update(tx, now, { status: { progress: percent } }, 'progress')
        })
        const { format = 'RAW', bytes, snapshot: into } = row.spec
        await pour(context, { place: placeOf(row), format, bytes: bytes!, into: into!, tell })
      },
    }),
    writes: {
      completed: (tx, row) => importTask.update(tx, row, { status: { state: 'completed', message: undefined, progress: 100 } }, 'completed'),
      failed: (tx, row, { message }: { message?: string }) => endWithout(tx, row, message!, 'failed'),
    },
    surrender: {
      after: GIVE_UP_AFTER,
      async write(tx, row, error) {
        if (row.status.state === 'active') await endWithout(tx, row, error.message.slice(0, 500), 'failed')
      },
    },
  }
}
