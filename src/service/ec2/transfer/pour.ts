/**
 * What the tasks of VM Import/Export have in common: the role, where a disk's file is, and its way into a snapshot.
 *
 * Invariant: a snapshot that a file is poured into is open, and its account's alone, until all of the file is in it.
 */
import type * as sdk from '@aws-sdk/client-ec2'
import { trusts } from '#identity/assume'
import { roles } from '#identity/records'
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Context, ObjectPlace, Objects } from '#service/ec2/context'
import { missingParameter, unsupported } from '#service/ec2/errors'
import { snapshotsFor } from '#service/ec2/snapshot/direct'
import { snapshot } from '#service/ec2/snapshot/snapshot'
import { formats, type Format } from '#service/ec2/transfer/formats'
import { watched } from '#service/ec2/transfer/progress'
import type { Tx } from '#store/store'

export type Source = { bucket: string; key: string; url?: string }
/** Attempts that a task has, each of which may be hours of reading. */
export const GIVE_UP_AFTER = 4
const HEAD_BYTES = 512
const GIB = 2 ** 30

/** User Guide, "Required permissions": the service role vmimport, which trusts vmie.amazonaws.com with the external id vmimport. */
export async function checkRole({ tx, account }: Call<object>, name = 'vmimport'): Promise<void> {
  const role = await roles.byName(tx, account, name)
  if (role && trusts(role, 'vmie.amazonaws.com', [['sts:externalid', ['vmimport']]])) return
  throw new ApiError('InvalidParameter', `The service role ${name} provided does not exist or does not have sufficient permissions`)
}

/** `s3://bucket/key`, or the two by themselves, in what a request calls `name`. */
export function sourceOf({ Url: url, UserBucket: bucket }: Pick<sdk.ImageDiskContainer, 'Url' | 'UserBucket'>, name: string): Source {
  const [, fromUrl, keyOfUrl] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url ?? '') ?? []
  if (url !== undefined && fromUrl === undefined) throw unsupported('Url that is not s3://BUCKET/KEY')
  const found = { bucket: fromUrl ?? bucket?.S3Bucket, key: keyOfUrl ?? bucket?.S3Key }
  if (!found.bucket || !found.key) throw missingParameter(`${name}.UserBucket`)
  return { bucket: found.bucket, key: found.key, ...(url !== undefined && { url }) }
}

export const arnOf = ({ bucket, key }: { bucket: string; key: string }): string => `arn:aws:s3:::${bucket}/${key}`

/** How large a file is, in bytes, and the disk in it. Throws for one that is not there, or no disk. */
export async function measured(objects: Objects, place: ObjectPlace, format: Format): Promise<{ bytes: number; sizeGiB: number }> {
  const bytes = await objects.size(place)
  if (bytes === undefined) throw new Error(`ClientError: no object s3://${place.bucket}/${place.key} that the account may read`)
  if (bytes === 0) throw new Error('ClientError: Disk validation failed [the object is empty]')
  const size = await formats[format].size({ bytes, head: () => headOf(objects, place) })
  return { bytes, sizeGiB: Math.ceil(size / GIB) }
}

async function headOf(objects: Objects, place: ObjectPlace): Promise<Buffer> {
  let head = Buffer.alloc(0)
  for await (const piece of objects.read(place)) {
    head = Buffer.concat([head, piece])
    if (head.length >= HEAD_BYTES) break
  }
  return head
}

type Pouring = { place: ObjectPlace; format: Format; bytes: number; into: string; tell(percent: number): Promise<unknown> }

/** Writes a file's disk into an open snapshot, and completes that. One that was interrupted begins anew. */
export async function pour(context: Context, { place, format, bytes, into, tell }: Pouring): Promise<void> {
  await context.loop().settle(snapshot.kind, into)
  const file = watched(context.objects!.read(place), { bytes, size: piece => piece.length, tell })
  await context.engine.disks.fill(into, formats[format].blocks(file))
  await context.store.transact(tx => snapshotsFor(context).complete(tx, into))
}

/** Snapshots of a task that came to nothing. */
export async function drop(tx: Tx, ids: readonly (string | undefined)[]): Promise<void> {
  for (const id of ids) {
    const row = id === undefined ? undefined : await snapshot.find(tx, id)
    if (row && row.spec.desired !== 'absent') await snapshot.update(tx, row, { spec: { desired: 'absent' } }, 'deleting')
  }
}
