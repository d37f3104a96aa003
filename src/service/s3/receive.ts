/**
 * A body onto the disk, with its digests.
 *
 * Invariant: what is answered has the length, MD5 and checksum that the request gave; anything else has left no file.
 */
import { createHash } from 'node:crypto'
import { ALGORITHMS, isAlgorithm, openChecksum, type Algorithm, type Checksum } from '#base/checksum'
import { ApiError } from '#kit/error'
import type { Payload } from '#kit/payload'
import { invalidRequest } from '#service/s3/errors'
import type { Files } from '#service/s3/files'
import { checksumMember } from '#service/s3/object'
import type { NewPiece } from '#service/s3/tables'

/** 5 GiB in one upload (S3 User Guide, "Amazon S3 multipart upload limits"). */
export const LARGEST = 5 * 2 ** 30

export type Received = { piece: NewPiece; size: number; md5: Buffer; checksum: { algorithm: Algorithm; value: string } | undefined }
type Asked = { Body?: unknown; ContentMD5?: string; ChecksumAlgorithm?: string }

/** The one checksum that a request gives or names. */
function algorithmOf(input: Asked, payload: Payload, wanted: string | undefined): Algorithm | undefined {
  const given = ALGORITHMS.filter(algorithm => (input as Record<string, unknown>)[checksumMember(algorithm)] !== undefined)
  const trailing = payload.trailer?.startsWith('x-amz-checksum-') ? payload.trailer.slice(15).toUpperCase() : undefined
  if (given.length + (trailing ? 1 : 0) > 1) throw invalidRequest('Expecting a single x-amz-checksum- header')
  const name = given[0] ?? trailing ?? input.ChecksumAlgorithm ?? wanted
  if (name === undefined || isAlgorithm(name)) return name
  throw invalidRequest('Checksum algorithm provided is unsupported. Please try again with any of the valid types: '
    + '[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]')
}

/** `wanted` is the algorithm of an upload whose parts must all have one. */
export async function receive(files: Files, input: Asked, { wanted }: { wanted?: string } = {}): Promise<Received> {
  const payload = input.Body as Payload
  if (payload.length === undefined && payload.trailer === undefined) {
    throw new ApiError('MissingContentLength', 'You must provide the Content-Length HTTP header.', 411)
  }
  if ((payload.length ?? 0) > LARGEST) throw tooLarge(payload.length!)
  if (input.ContentMD5 !== undefined && Buffer.from(input.ContentMD5, 'base64').length !== 16) {
    throw new ApiError('InvalidDigest', 'The Content-MD5 you specified was invalid.')
  }
  const md5 = createHash('md5')
  const algorithm = algorithmOf(input, payload, wanted)
  const checksum = algorithm && openChecksum(algorithm)
  let digest: Buffer = Buffer.alloc(0)
  let value = ''
  async function* checked(): AsyncGenerator<Buffer> {
    let size = 0
    for await (const bytes of payload) {
      size += bytes.length
      if (size > LARGEST) throw tooLarge(size)
      yield bytes
    }
    digest = md5.digest()
    if (input.ContentMD5 !== undefined && input.ContentMD5 !== digest.toString('base64')) throw badDigest('Content-MD5')
    if (!checksum) return
    value = (checksum as Checksum).digest()
    const claimed = (input as Record<string, unknown>)[checksumMember(algorithm)] ?? payload.trailers[`x-amz-checksum-${algorithm.toLowerCase()}`]
    if (claimed !== undefined && claimed !== value) throw badDigest(algorithm)
  }
  const sinks = [{ update: (bytes: Buffer) => { md5.update(bytes) } }, ...(checksum ? [checksum] : [])]
  const piece = await files.write(checked(), payload.length, sinks)
  return { piece, size: piece.size, md5: digest, checksum: algorithm && { algorithm, value } }
}

const badDigest = (what: string): ApiError =>
  new ApiError('BadDigest', `The ${what} you specified did not match the calculated checksum.`)
const tooLarge = (size: number): ApiError =>
  new ApiError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed object size.', 400,
    { ProposedSize: size, MaxSizeAllowed: LARGEST })
