/** The formats of disks as files: how large a disk is, its blocks, and a file of them. */
import type { Block } from '#engine/port'
import { ApiError } from '#kit/error'
import { invalidValue, missingParameter, unsupported } from '#service/ec2/errors'
import { blocksOfRaw, rawOf } from '#service/ec2/transfer/blocks'
import { blocksOfVmdk, sizeOfVmdk, vmdkOf } from '#service/ec2/transfer/vmdk'

export type Format = 'RAW' | 'VMDK'
type Way = {
  /** In bytes; `head`: the file's first sector. */
  size(file: { bytes: number; head(): Promise<Buffer> }): Promise<number>
  blocks(file: AsyncIterable<Uint8Array>): AsyncIterable<Block>
  file(blocks: AsyncIterable<Block>, sizeGiB: number): AsyncIterable<Uint8Array>
}

export const formats: Record<Format, Way> = {
  RAW: { size: async ({ bytes }) => bytes, blocks: blocksOfRaw, file: rawOf },
  VMDK: { size: async ({ head }) => sizeOfVmdk(await head()), blocks: blocksOfVmdk, file: vmdkOf },
}

/** The format that a request names; `known`: those of AWS's that may be named there. */
export function formatOf(value: string | undefined, { name, known }: { name: string; known: readonly string[] }): Format {
  if (value === undefined) throw missingParameter(name)
  const asked = value.toUpperCase()
  if (!known.includes(asked)) throw invalidValue(name, value, `It must be one of ${known.join(', ')}.`)
  if (!Object.hasOwn(formats, asked)) throw unsupported(`disks of the format ${asked}`)
  return asked as Format
}

/** What ends a task of VM Import/Export when it was cancelled meanwhile. */
export const cancelled = (): ApiError => new ApiError('IncorrectState', 'the task was cancelled')
