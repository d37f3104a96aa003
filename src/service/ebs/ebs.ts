/**
 * The EBS direct APIs: the blocks of snapshots, read and compared, and snapshots written block by block. EBS User Guide, "EBS direct APIs".
 *
 * Invariants: only a completed snapshot is read, and only an open one of the caller's own is written; a block is taken only with its right checksum.
 */
import { createHash } from 'node:crypto'
import type * as Sdk from '@aws-sdk/client-ebs'
import { BLOCK_BYTES, type Engine } from '#engine/port'
import type { Actions, Place, ServiceDefinition } from '#kit/action'
import { ApiError } from '#kit/error'
import { operationsOf } from '#kit/schema'
import { loadSdk } from '#kit/sdk'
import { tagList } from '#kit/resource'
import { readTags, type Tags } from '#kit/tags'
import type { Loop } from '#loop/loop'
import type { Reader, Store, Tx } from '#store/store'

export const sdk = await loadSdk('ebs')

type Snapshot = { id: string; account: string; sizeGiB: number; description: string; created: string; open: boolean; completed: boolean }
/** What this service is given of EC2's snapshots. */
export type Snapshots = {
  find(reader: Reader, place: Place, id: string): Promise<Snapshot | undefined>
  start(tx: Tx, asked: Place & { now: Date; sizeGiB: number; description: string; tags: Tags; parent?: string }): Promise<Snapshot>
  complete(tx: Tx, id: string): Promise<void>
}
type Given = { engine: Engine; store: Store; snapshots: Snapshots; loop(): Loop }

/** "The block tokens expire after seven days" (API Reference, ListSnapshotBlocks, ExpiryTime). */
const TOKEN_MS = 7 * 86_400_000
const BLOCKS_PER_GIB = 2048
/** API Reference: MaxResults of 100 to 10,000. */
const PAGE = { least: 100, most: 10_000 }

const invalid = (message: string, Reason: Sdk.ValidationExceptionReason) => new ApiError('ValidationException', message, 400, { Reason })
const missing = (id: string) =>
  new ApiError('ResourceNotFoundException', `The snapshot '${id}' does not exist.`, 404, { Reason: 'SNAPSHOT_NOT_FOUND' })
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')

function decode(token: string, Reason: Sdk.ValidationExceptionReason): unknown {
  try {
    return JSON.parse(Buffer.from(token, 'base64').toString())
  } catch (error) {
    throw Object.assign(invalid('The token is not valid.', Reason), { cause: error })
  }
}

const blockToken = (id: string, index: number, now: Date): string => encode([id, index, now.getTime() + TOKEN_MS])

function checkToken(token: string, { id, index, now }: { id: string; index: number; now: Date }): void {
  const [of, block, until] = [decode(token, 'INVALID_BLOCK_TOKEN')].flat() as unknown[]
  if (of !== id || block !== index) throw invalid('The block token is not one of this block.', 'INVALID_BLOCK_TOKEN')
  if (Number(until) < now.getTime()) throw invalid('The block token has expired.', 'INVALID_BLOCK_TOKEN')
}

type Paged = { NextToken?: string; MaxResults?: number; StartingBlockIndex?: number }

function partOf({ NextToken: token, MaxResults: most = PAGE.most, StartingBlockIndex: start = 0 }: Paged): { first: number; limit: number } {
  const first = token === undefined ? start : decode(token, 'INVALID_PAGE_TOKEN')
  if (typeof first !== 'number' || !Number.isInteger(first) || first < 0) throw invalid('The page token is not valid.', 'INVALID_PAGE_TOKEN')
  if (most < PAGE.least || most > PAGE.most) throw invalid('MaxResults must be from 100 to 10000.', 'INVALID_PARAMETER_VALUE')
  return { first, limit: most }
}

/** One more than asked says whether there is another page. */
function page(indexes: number[], limit: number): { shown: number[]; NextToken: string | undefined } {
  return { shown: indexes.slice(0, limit), NextToken: indexes.length > limit ? encode(indexes[limit]) : undefined }
}

export const scopeOf = (id: string): string => `${id}/written`

function readers({ engine, snapshots }: Given): Actions<typeof Sdk> {
  async function readable(reader: Reader, place: Place, id: string): Promise<Snapshot> {
    const found = await snapshots.find(reader, place, id)
    if (!found) throw missing(id)
    if (!found.completed) throw invalid(`The snapshot '${id}' is not completed.`, 'INVALID_SNAPSHOT_ID')
    return found
  }
  const common = (now: Date, { sizeGiB }: Snapshot) =>
    ({ ExpiryTime: new Date(now.getTime() + TOKEN_MS), VolumeSize: sizeGiB, BlockSize: BLOCK_BYTES })
  return {
    ListSnapshotBlocks: {
      async look({ input, reader, account, region, now }) {
        const found = await readable(reader, { account, region }, input.SnapshotId!)
        const { first, limit } = partOf(input)
        const { shown, NextToken } = page(await engine.disks.blocks(found.id, { first, limit: limit + 1 }), limit)
        return { Blocks: shown.map(index => ({ BlockIndex: index, BlockToken: blockToken(found.id, index, now) })), NextToken, ...common(now, found) }
      },
    },

    ListChangedBlocks: {
      async look({ input, reader, account, region, now }) {
        const second = await readable(reader, { account, region }, input.SecondSnapshotId!)
        const before = input.FirstSnapshotId === undefined ? undefined : await readable(reader, { account, region }, input.FirstSnapshotId)
        const { first, limit } = partOf(input)
        const part = { first, limit: limit + 1 }
        const changed = before ? await engine.disks.changed(second.id, before.id, part) : await engine.disks.blocks(second.id, part)
        const { shown, NextToken } = page(changed, limit)
        const held = async (id: string) => new Set(shown.length === 0 ? []
          : await engine.disks.blocks(id, { first: shown[0]!, limit: shown.at(-1)! - shown[0]! + 1 }))
        const [inFirst, inSecond] = [before ? await held(before.id) : new Set<number>(), await held(second.id)]
        return {
          ChangedBlocks: shown.map(index => ({
            BlockIndex: index, FirstBlockToken: inFirst.has(index) ? blockToken(before!.id, index, now) : undefined,
            SecondBlockToken: inSecond.has(index) ? blockToken(second.id, index, now) : undefined,
          })),
          NextToken, ...common(now, second),
        }
      },
    },

    GetSnapshotBlock: {
      async look({ input, reader, account, region, now }) {
        const { id } = await readable(reader, { account, region }, input.SnapshotId!)
        const index = input.BlockIndex!
        checkToken(input.BlockToken!, { id, index, now })
        const data = await engine.disks.readBlock(id, index) ?? new Uint8Array(BLOCK_BYTES)
        const Checksum = createHash('sha256').update(data).digest('base64')
        return { DataLength: data.length, BlockData: data as never, Checksum, ChecksumAlgorithm: 'SHA256' }
      },
    },
  }
}

function writers({ engine, store, snapshots, loop }: Given): Actions<typeof Sdk> {
  async function writable(reader: Reader, { account, region }: Place, id: string): Promise<Snapshot> {
    const found = await snapshots.find(reader, { account, region }, id)
    if (!found || found.account !== account) throw missing(id)
    if (!found.open) throw invalid(`The snapshot '${id}' is not in the pending state of one that is being written.`, 'INVALID_SNAPSHOT_ID')
    return found
  }
  return {
    async StartSnapshot({ input, tx, account, region, now }) {
      if (input.Encrypted || input.KmsKeyArn !== undefined) {
        throw new ApiError('UnsupportedOperation', 'Enclume does not implement encrypted snapshots.')
      }
      if (input.Timeout !== undefined) throw new ApiError('UnsupportedOperation', 'Enclume does not implement Timeout of StartSnapshot.')
      const sizeGiB = input.VolumeSize!
      if (!Number.isInteger(sizeGiB) || sizeGiB < 1 || sizeGiB > 65_536) {
        throw invalid('VolumeSize must be from 1 to 65536 GiB.', 'INVALID_VOLUME_SIZE')
      }
      const parent = input.ParentSnapshotId === undefined ? undefined : await snapshots.find(tx, { account, region }, input.ParentSnapshotId)
      if (input.ParentSnapshotId !== undefined && !parent) throw missing(input.ParentSnapshotId)
      if (parent && (!parent.completed || parent.sizeGiB > sizeGiB)) throw invalid('The parent is not completed, or larger.', 'INVALID_SNAPSHOT_ID')
      const tags = readTags(input.Tags ?? [])
      const made = await snapshots.start(tx, { account, region, now, sizeGiB, description: input.Description ?? '', tags, parent: parent?.id })
      return {
        SnapshotId: made.id, OwnerId: account, Status: 'pending', StartTime: new Date(made.created), VolumeSize: sizeGiB, BlockSize: BLOCK_BYTES,
        Description: made.description, ParentSnapshotId: parent?.id, Tags: tagList(tags),
      }
    },

    PutSnapshotBlock: {
      async work({ input, reader, account, region }) {
        const { id, sizeGiB } = await writable(reader, { account, region }, input.SnapshotId!)
        const index = input.BlockIndex!
        const data = input.BlockData as unknown as Uint8Array
        if (!Number.isInteger(index) || index < 0 || index >= sizeGiB * BLOCKS_PER_GIB) {
          throw invalid('There is no such block.', 'INVALID_PARAMETER_VALUE')
        }
        if (data.length !== BLOCK_BYTES || input.DataLength !== data.length) {
          throw invalid(`A block has ${BLOCK_BYTES} bytes.`, 'INVALID_CONTENT_ENCODING')
        }
        if (input.ChecksumAlgorithm !== 'SHA256') throw invalid('The algorithm must be SHA256.', 'INVALID_PARAMETER_VALUE')
        const checksum = createHash('sha256').update(data).digest('base64')
        if (checksum !== input.Checksum) throw invalid('The checksum is not that of the data.', 'INVALID_PARAMETER_VALUE')
        await loop().settle('snapshot', id)
        await engine.disks.writeBlock(id, index, data)
        await store.transact(tx => tx.claim(scopeOf(id), String(index), id))
        return { Checksum: checksum, ChecksumAlgorithm: 'SHA256' }
      },
    },

    async CompleteSnapshot({ input, tx, account, region }) {
      const { id } = await writable(tx, { account, region }, input.SnapshotId!)
      if (input.Checksum !== undefined) throw new ApiError('UnsupportedOperation', 'Enclume does not implement Checksum of CompleteSnapshot.')
      const written = await tx.claims(scopeOf(id))
      if (written.size !== input.ChangedBlocksCount) {
        throw invalid(`${written.size} blocks were written, not ${input.ChangedBlocksCount}.`, 'INVALID_PARAMETER_VALUE')
      }
      for (const index of written.keys()) await tx.release(scopeOf(id), index)
      await snapshots.complete(tx, id)
      return { Status: 'pending' }
    },
  }
}

export const ebs = (given: Given): ServiceDefinition => ({
  id: 'ebs', operations: operationsOf(sdk), actions: { ...readers(given), ...writers(given) } as ServiceDefinition['actions'],
  missing: member => invalid(`${member} is required.`, 'INVALID_PARAMETER_VALUE'),
})
