/**
 * How files become an image: a snapshot of each is written, the root's is made a system that can start, and the image is registered.
 *
 * Invariant: each step is read from the records, so that whoever dies between two of them goes on with the next.
 */
import { NO_SYSTEM } from '#engine/port'
import { rest, type Driver, type Step } from '#loop/driver'
import type { Context, ObjectPlace } from '#service/ec2/context'
import { image, type Mapping } from '#service/ec2/image/image'
import { through } from '#service/ec2/outage'
import { snapshotsFor } from '#service/ec2/snapshot/direct'
import { NO_VOLUME, snapshot } from '#service/ec2/snapshot/snapshot'
import { cancelled } from '#service/ec2/transfer/formats'
import { importImageTask, type Disk, type ImportImageRow, type Status } from '#service/ec2/transfer/import-image'
import { drop, GIVE_UP_AFTER, measured, pour } from '#service/ec2/transfer/pour'
import type { Reader, Tx } from '#store/store'

type State = 'open' | 'pending' | 'completed' | 'error' | 'gone'
/** Of each disk's snapshot, and of the root as a system; `why` that is in error. */
export type Seen = { disks: (State | undefined)[]; root?: State; why?: string }

const SOON_MS = 200

export function plan({ status }: Pick<ImportImageRow, 'status'>, { disks, root, why }: Seen): Step {
  if (status.state !== 'active') return rest
  if (disks.includes(undefined)) return { act: 'open' }
  if (disks.some(state => state === 'gone' || state === 'error')) return { write: 'failed', message: 'ServerError: a snapshot of it is gone' }
  if (disks.includes('open')) return { act: 'pour' }
  if (disks.includes('pending') || root === 'pending') return { rest: true, againMs: SOON_MS }
  if (root === undefined) return { write: 'fit' }
  return root === 'completed' ? { write: 'completed' } : { write: 'failed', message: refusal(why) }
}

/** User Guide, "Troubleshooting": AWS's words for a disk that no instance can start from. */
const refusal = (why = 'the snapshot of its root is gone'): string => (why.startsWith(NO_SYSTEM)
  ? `ClientError: Unknown OS / Missing OS files. ${why}` : `ServerError: An internal error has occurred during conversion. ${why}`).slice(0, 500)

async function stateOf(reader: Reader, id: string): Promise<{ state: State; why?: string }> {
  const row = await snapshot.find(reader, id)
  if (!row || row.spec.desired === 'absent') return { state: 'gone' }
  return { state: row.spec.open ? 'open' : row.status.state, ...(row.status.reason !== undefined && { why: row.status.reason }) }
}

const ownOf = ({ spec }: ImportImageRow): (string | undefined)[] => [...spec.disks.map(disk => (disk.own ? disk.snapshot : undefined)), spec.root]

/** A task that came to nothing. */
export async function endImport(tx: Tx, row: ImportImageRow, message: string): Promise<void> {
  await importImageTask.update(tx, row, { status: { state: 'deleted', message, progress: undefined } }, 'failed')
  await drop(tx, ownOf(row))
}

/** Writes of a task that still goes on; throws where it was cancelled meanwhile. */
async function going(tx: Tx, id: string): Promise<ImportImageRow> {
  const now = await importImageTask.find(tx, id)
  if (now?.status.state !== 'active') throw cancelled()
  return now
}

/** The image of a task whose disks are all there. The disk that the root was taken from has done its part. */
async function register(tx: Tx, row: ImportImageRow): Promise<void> {
  const { spec: { description, architecture, disks, root }, id, account, region } = row
  const mappings: Mapping[] = []
  for (const [n, { device, snapshot: own }] of disks.entries()) {
    const from = (await snapshot.find(tx, n === 0 ? root! : own!))!
    const { sizeGiB } = from.spec
    mappings.push({ device, ebs: { snapshot: from.id, sizeGiB, type: 'gp2', deleteOnTermination: n === 0 } })
  }
  const made = await tx.put(image.make({
    account, region, now: new Date(row.created), tags: {}, status: { state: 'available' },
    spec: {
      name: id, description, architecture, mappings, rootDevice: disks[0]!.device, rootSizeGiB: mappings[0]!.ebs!.sizeGiB, owner: 'self',
      public: false, user: '',
    },
  }), 'registered')
  if (disks[0]!.own) await drop(tx, [disks[0]!.snapshot])
  await importImageTask.update(tx, row, {
    spec: { image: made.id }, status: { state: 'completed', message: undefined, progress: 100 },
  }, 'completed')
}

export function importImageDriver(context: Context): Driver<ImportImageRow, Seen> {
  const { store, objects } = context
  const placeOf = ({ account, region }: ImportImageRow, { file }: Disk): ObjectPlace => ({ account, region, ...file! })
  const tell = (id: string, status: Partial<Status>) =>
    store.transact(async tx => importImageTask.update(tx, await going(tx, id), { status }, 'progress'))
  const described = ({ id }: ImportImageRow) => `Created by AWS-VMImport service for ${id}`
  return {
    kind: importImageTask.kind,
    async observe({ spec }) {
      const disks = await Promise.all(spec.disks.map(async disk => (disk.snapshot === undefined ? undefined : stateOf(store, disk.snapshot))))
      const root = spec.root === undefined ? undefined : await stateOf(store, spec.root)
      return { disks: disks.map(one => one?.state), root: root?.state, why: root?.why }
    },
    plan,
    acts: through(context, {
      async open(row) {
        const sizes = await Promise.all(row.spec.disks.map(disk => (disk.file ? measured(objects!, placeOf(row, disk), disk.format!) : undefined)))
        await store.transact(async tx => {
          const now = await going(tx, row.id)
          if (now.spec.disks.every(disk => disk.snapshot !== undefined)) return
          const disks: Disk[] = []
          for (const [n, disk] of now.spec.disks.entries()) {
            const size = sizes[n]
            if (!size) { disks.push(disk); continue }
            const { account, region, created } = row
            const made = await snapshotsFor(context).start(tx, {
              account, region, now: new Date(created), sizeGiB: size.sizeGiB, description: described(row), tags: {},
            })
            disks.push({ ...disk, bytes: size.bytes, snapshot: made.id, own: true })
          }
          await importImageTask.update(tx, now, { spec: { disks }, status: { message: 'converting' } }, 'opened')
        })
      },
      async pour(row) {
        const states = await Promise.all(row.spec.disks.map(disk => stateOf(store, disk.snapshot!)))
        const n = states.findIndex(({ state }) => state === 'open')
        const disk = row.spec.disks[n]
        if (!disk) return
        const share = (percent: number) => Math.floor((100 * n + percent) / row.spec.disks.length)
        await pour(context, {
          place: placeOf(row, disk), format: disk.format!, bytes: disk.bytes!, into: disk.snapshot!,
          tell: percent => tell(row.id, { progress: share(percent) }),
        })
      },
    }),
    writes: {
      async fit(tx, row) {
        const { account, region } = row
        const from = (await snapshot.find(tx, row.spec.disks[0]!.snapshot!))!
        const made = await tx.put(snapshot.make({
          account, region, now: new Date(row.created), tags: {}, status: { state: 'pending' },
          spec: {
            sizeGiB: from.spec.sizeGiB, description: described(row), volume: NO_VOLUME, owner: 'self', public: false, from: { system: from.id },
            desired: 'present',
          },
        }), 'pending')
        await importImageTask.update(tx, row, { spec: { root: made.id }, status: { message: 'updating' } }, 'fitting')
      },
      completed: register,
      failed: (tx, row, { message }: { message?: string }) => endImport(tx, row, message!),
    },
    surrender: {
      after: GIVE_UP_AFTER,
      async write(tx, row, error) {
        if (row.status.state === 'active') await endImport(tx, row, error.message.slice(0, 500))
      },
    },
  }
}
