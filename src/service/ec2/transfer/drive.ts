/**
 * How images become objects, and objects images.
 *
 * Invariant: a task that a crash interrupted begins anew; the snapshots of a restored image are open, and nobody's to use, until it ends.
 */
import { BLOCK_BYTES, type Block } from '#engine/port'
import { rest, type Driver } from '#loop/driver'
import type { Context, ObjectPlace } from '#service/ec2/context'
import { checkDevice } from '#service/ec2/volume/device'
import { shapeOf } from '#service/ec2/volume/mapping'
import { image, mappingsOf, type ImageRow, type Mapping, type Spec as ImageSpec } from '#service/ec2/image/image'
import { through } from '#service/ec2/outage'
import { snapshotsFor } from '#service/ec2/snapshot/direct'
import { snapshot } from '#service/ec2/snapshot/snapshot'
import { bundle, unbundle, type Bundle, type Bundled } from '#service/ec2/transfer/blocks'
import { GIVE_UP_AFTER } from '#service/ec2/transfer/pour'
import { watched } from '#service/ec2/transfer/progress'
import { imageTask, type ImageTaskRow } from '#service/ec2/transfer/store'
import type { Tx } from '#store/store'

type Ebs = NonNullable<Mapping['ebs']>
/** What an object says of an image: `disk` is the place of a mapping's snapshot among the bundle's disks. */
type Stored = Pick<ImageSpec, 'name' | 'description' | 'architecture' | 'rootDevice' | 'imdsSupport' | 'user'> & {
  tags: Record<string, string>
  mappings: (Omit<Mapping, 'ebs'> & { ebs?: Omit<Ebs, 'snapshot'> & { disk?: number } })[]
}
type Header = Bundle<Stored>

function headerOf({ spec, tags }: ImageRow, snapshots: { id: string; sizeGiB: number }[]): Header {
  const { name, description, architecture, rootDevice, imdsSupport, user } = spec
  const mappings = mappingsOf(spec).map(({ ebs, ...mapping }) => {
    if (!ebs) return mapping
    const { snapshot: id, ...rest } = ebs
    return { ...mapping, ebs: { ...rest, ...(id !== undefined && { disk: snapshots.findIndex(one => one.id === id) }) } }
  })
  const stored = { name, description, architecture, rootDevice, imdsSupport, user, tags, mappings }
  return { image: stored, disks: snapshots.map(({ sizeGiB }) => ({ sizeGiB })) }
}

/** The mappings that an object asks for, as the API would take them; throws for what it would refuse. */
export function mappingsFrom({ image: stored, disks }: Header, ids: string[]): Mapping[] {
  if (stored.architecture !== 'x86_64' && stored.architecture !== 'arm64') throw new Error('the object is of no architecture that is known')
  if (!Array.isArray(disks) || disks.length === 0 || disks.length > 64 || disks.some(({ sizeGiB }) => !Number.isInteger(sizeGiB) || sizeGiB < 1)) {
    throw new Error('the object has no disks')
  }
  const mappings = stored.mappings.map(({ device, virtualName, ebs }): Mapping => {
    checkDevice(device)
    if (!ebs) return { device, virtualName: String(virtualName) }
    const root = device === stored.rootDevice
    const { disk, sizeGiB, type, iops, throughput } = ebs
    if (disk !== undefined && !disks[disk]) throw new Error('the object names a disk that it has not')
    const source = disk === undefined ? undefined : { id: ids[disk] ?? '', spec: { sizeGiB: disks[disk]!.sizeGiB } }
    const shape = shapeOf(device, { root, source, sizeGiB, type, iops, throughput })
    return { device, ebs: { ...shape, deleteOnTermination: ebs.deleteOnTermination === true, ...(disk !== undefined && { snapshot: ids[disk] }) } }
  })
  if (mappings.find(({ device }) => device === stored.rootDevice)?.ebs === undefined) throw new Error('the object has no root device')
  return mappings
}

/** One disk's blocks after the other's, each as a stream of its own. */
function byDisk(blocks: AsyncIterable<Bundled>): (disk: number) => AsyncIterable<Block> {
  const all = blocks[Symbol.asyncIterator]()
  let next: Promise<IteratorResult<Bundled>> | undefined
  return async function* (disk) {
    for (;;) {
      const { value, done } = await (next ??= all.next())
      if (done || value.disk !== disk) return
      next = undefined
      yield value
    }
  }
}

export function imageTaskDriver(context: Context): Driver<ImageTaskRow, 'there'> {
  const { store, engine, objects } = context
  const placeOf = ({ account, region, spec: { bucket, key } }: ImageTaskRow): ObjectPlace => ({ account, region, bucket, key })
  const tell = (row: ImageTaskRow) => (progress: number) => store.transact(async tx => {
    const now = await imageTask.find(tx, row.id)
    if (now && now.status.progress !== progress) await imageTask.update(tx, now, { status: { progress } }, 'progress')
  })
  const done = async (tx: Tx, row: ImageTaskRow) => {
    const now = await imageTask.find(tx, row.id)
    if (now) await imageTask.update(tx, now, { status: { state: 'Completed', progress: 100 } }, 'completed')
  }

  /** The snapshots that the object's disks go to, and the image as it says, in one transaction. */
  async function begin(row: ImageTaskRow, header: Header): Promise<string[]> {
    if (row.spec.snapshots) return row.spec.snapshots
    return store.transact(async tx => {
      mappingsFrom(header, [])
      const { name, description, rootDevice, architecture, imdsSupport, user, tags } = header.image
      const made = (await image.find(tx, row.spec.image))!
      const wanted = row.spec.name ?? String(name)
      const other = (await image.list(tx, row)).find(one => one.spec.name === wanted && !['deregistered', 'failed'].includes(one.status.state))
      if (other && other.id !== made.id) throw new Error(`AMI name ${wanted} is already in use by AMI ${other.id}`)
      const ids: string[] = []
      for (const { sizeGiB } of header.disks) {
        const { account, region, spec } = row
        const asked = { account, region, now: context.clock(), sizeGiB, description: `Restored for ${made.id}`, tags: spec.tags ?? {} }
        ids.push((await snapshotsFor(context).start(tx, asked)).id)
      }
      const mappings = mappingsFrom(header, ids)
      const rootSizeGiB = mappings.find(({ device }) => device === rootDevice)!.ebs!.sizeGiB
      await image.update(tx, made, {
        tags: { ...tags, ...made.tags },
        spec: {
          name: wanted, description: String(description), architecture, rootDevice, rootSizeGiB, mappings, user: String(user),
          ...(imdsSupport === 'v2.0' && { imdsSupport }),
        },
      }, 'restoring')
      await imageTask.update(tx, (await imageTask.find(tx, row.id))!, { spec: { snapshots: ids } }, 'begun')
      return ids
    })
  }

  return {
    kind: imageTask.kind,
    observe: async () => 'there',
    plan: ({ spec, status }) => (status.state === 'InProgress' ? { act: spec.what } : rest),
    acts: through(context, {
      async store(row) {
        const found = await image.find(store, row.spec.image)
        const ids = found ? mappingsOf(found.spec).flatMap(({ ebs }) => ebs?.snapshot ?? []) : []
        const rows = (await Promise.all(ids.map(id => snapshot.find(store, id)))).flatMap(one => one ?? [])
        if (!found || rows.length < ids.length) throw new Error('the image or a snapshot of it is gone')
        const usage = await Promise.all(ids.map(id => engine.disks.usage(id)))
        const bytes = usage.reduce((sum, seen) => sum + (typeof seen === 'object' ? seen.bytes : 0), 0)
        const blocks = async function* (): AsyncIterable<Bundled> {
          for (const [disk, id] of ids.entries()) for await (const block of engine.disks.contents(id)) yield { disk, ...block }
        }
        const header = headerOf(found, rows.map(({ id, spec }) => ({ id, sizeGiB: spec.sizeGiB })))
        const told = watched(blocks(), { bytes, size: () => BLOCK_BYTES, tell: tell(row) })
        await objects!.write({ ...placeOf(row), tags: row.spec.tags }, bundle(header, told))
        await store.transact(tx => done(tx, row))
      },
      async restore(row) {
        const bytes = await objects!.size(placeOf(row))
        if (bytes === undefined) throw new Error(`no object s3://${row.spec.bucket}/${row.spec.key} that the account may read`)
        const body = watched(objects!.read(placeOf(row)), { bytes, size: piece => piece.length, tell: tell(row) })
        const { header, blocks } = await unbundle<Stored>(body)
        const ids = await begin(row, header)
        const of = byDisk(blocks)
        for (const [disk, id] of ids.entries()) {
          await context.loop().settle(snapshot.kind, id)
          await engine.disks.fill(id, of(disk))
        }
        // The mark at the end.
        for await (const block of of(ids.length)) throw new Error(`a block ${block.index} too many`)
        await store.transact(async tx => {
          for (const id of ids) await snapshotsFor(context).complete(tx, id)
          const made = await image.find(tx, row.spec.image)
          if (made) await image.update(tx, made, { spec: { restoring: false } }, 'restored')
          await done(tx, row)
        })
      },
    }),
    writes: {},
    surrender: {
      after: GIVE_UP_AFTER,
      async write(tx, row, error) {
        if (row.status.state !== 'InProgress') return
        await imageTask.update(tx, row, { status: { state: 'Failed', reason: error.message.slice(0, 500) } }, 'failed')
        if (row.spec.what === 'store') return
        const made = await image.find(tx, row.spec.image)
        const failed = { state: 'failed' as const, reason: error.message.slice(0, 500) }
        if (made) await image.update(tx, made, { spec: { restoring: false }, status: failed }, 'failed')
        for (const id of row.spec.snapshots ?? []) {
          const one = await snapshot.find(tx, id)
          if (one) await snapshot.update(tx, one, { spec: { desired: 'absent' } }, 'deleting')
        }
      },
    },
  }
}
