/**
 * Multipart uploads. A part is a file of its own, and a completed object refers to its parts: completing copies no byte.
 */
import { createHash, randomBytes } from 'node:crypto'
import type * as Sdk from '@aws-sdk/client-s3'
import { checksumOf, isAlgorithm, joinCrc, type Algorithm } from '#base/checksum'
import { ApiError } from '#kit/error'
import type { Payload } from '#kit/payload'
import { canonicalId } from '#service/s3/bucket'
import { shownVersion, getBucket, type Objects, type S3 } from '#service/s3/context'
import { invalidArgument, invalidRequest, malformedXml, noSuchUpload, refuse } from '#service/s3/errors'
import type { Handlers } from '#service/s3/handlers'
import { checkKey, checksumMember, checksumMembers, infoOf, quoted, refuseUnknown } from '#service/s3/object'
import { receive } from '#service/s3/receive'
import type { Info, Part, Upload } from '#service/s3/tables'
import { dropping, permitSource, readSource, show } from '#service/s3/write'

/** S3 User Guide, "Amazon S3 multipart upload limits". */
const MOST_PARTS = 10_000
const LEAST_BYTES = 5 << 20
const SSE = ['SSECustomerAlgorithm', 'SSECustomerKey', 'SSECustomerKeyMD5']

type Named = { Bucket?: string; Key?: string; UploadId?: string }

function getUpload({ tables }: Objects, { Bucket, Key, UploadId }: Named): Upload {
  const upload = tables.upload(UploadId!)
  if (!upload || upload.bucket !== Bucket || upload.key !== Key) throw noSuchUpload(UploadId!)
  return upload
}

function checkNumber(number: number | undefined): number {
  if (number === undefined || !Number.isInteger(number) || number < 1 || number > MOST_PARTS) {
    throw invalidArgument('partNumber', number, `Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`)
  }
  return number
}

/** FULL_OBJECT where the checksum can be joined from its parts', COMPOSITE otherwise (S3 User Guide, "Checking object integrity"). */
function checksumTypeOf(algorithm: string, asked: string | undefined): 'FULL_OBJECT' | 'COMPOSITE' {
  const type = asked ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE')
  const joins = algorithm.startsWith('CRC')
  if ((type === 'FULL_OBJECT' && !joins) || (type === 'COMPOSITE' && algorithm === 'CRC64NVME')) {
    throw invalidRequest(`The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`)
  }
  return type as 'FULL_OBJECT' | 'COMPOSITE'
}

function joined(parts: Part[], { algorithm, type }: NonNullable<Info['checksum']>): string {
  if (type === 'FULL_OBJECT') {
    const [first, ...rest] = parts
    return rest.reduce((sum, part) => joinCrc(algorithm as Algorithm, sum, part.checksum!, part.size), first!.checksum!)
  }
  const digests = Buffer.concat(parts.map(part => Buffer.from(part.checksum!, 'base64')))
  return `${checksumOf(algorithm as Algorithm, digests)}-${parts.length}`
}

const invalidPart = (which = {}): ApiError => new ApiError('InvalidPart', 'One or more of the specified parts could not be found. '
  + "The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.", 400, which)

/** The parts that a completion names, in their order and as they were uploaded. */
function chosen(asked: readonly Sdk.CompletedPart[], parts: Part[], checksum: Info['checksum']): Part[] {
  if (asked.length === 0 || asked.length > MOST_PARTS) throw malformedXml()
  const byNumber = new Map(parts.map(part => [part.number, part]))
  if (asked.some((one, i) => (one.PartNumber ?? 0) <= (asked[i - 1]?.PartNumber ?? 0))) {
    throw new ApiError('InvalidPartOrder', 'The list of parts was not in ascending order. The parts list must be specified in order by part number.')
  }
  return asked.map((one, i) => {
    const part = byNumber.get(one.PartNumber!)
    const claimed = checksum && (one as Record<string, unknown>)[checksumMember(checksum.algorithm)]
    if (!part || one.ETag?.replaceAll('"', '') !== part.etag || (claimed !== undefined && claimed !== part.checksum)) {
      throw invalidPart({ PartNumber: one.PartNumber ?? '', ETag: one.ETag ?? '' })
    }
    if (part.size < LEAST_BYTES && i < asked.length - 1) {
      throw new ApiError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', 400,
        { ProposedSize: part.size, MinSizeAllowed: LEAST_BYTES, PartNumber: part.number, ETag: part.etag })
    }
    return part
  })
}

export const uploads = (s3: S3) => ({
  async CreateMultipartUpload({ input, account, now }) {
    refuseUnknown('CreateMultipartUpload', input)
    checkKey(input.Key!)
    const { bucket, tables } = await s3.bucket(input.Bucket!)
    const info = infoOf(input, account)
    const algorithm = input.ChecksumAlgorithm
    if (algorithm !== undefined) {
      if (!isAlgorithm(algorithm)) throw invalidRequest('Checksum algorithm provided is unsupported.')
      info.checksum = { algorithm, type: checksumTypeOf(algorithm, input.ChecksumType) }
    }
    const id = randomBytes(48).toString('base64url')
    await tables.transact(() => {
      getBucket(tables, bucket.name)
      tables.putUpload({ id, bucket: bucket.name, key: input.Key!, created: now.toISOString(), info })
    })
    return {
      Bucket: bucket.name, Key: input.Key, UploadId: id, ServerSideEncryption: 'AES256',
      ChecksumAlgorithm: algorithm, ChecksumType: info.checksum?.type,
    }
  },

  async UploadPart({ input, now }) {
    refuse('UploadPart', input, SSE)
    const number = checkNumber(input.PartNumber)
    const { bucket: _, ...objects } = await s3.bucket(input.Bucket!)
    const upload = getUpload(objects, input)
    const received = await receive(objects.files, input, { wanted: upload.info.checksum?.algorithm })
    const { checksum } = await keep(objects, { upload, number, received, now })
    return {
      ETag: quoted(received.md5.toString('hex')), ServerSideEncryption: 'AES256',
      ...(checksum ? { [checksumMember(received.checksum!.algorithm)]: checksum } : {}),
    }
  },

  async UploadPartCopy({ input, now, permit }) {
    await permitSource(permit, input.CopySource!)
    refuse('UploadPartCopy', input, [...SSE, 'CopySourceSSECustomerAlgorithm', 'CopySourceSSECustomerKey', 'CopySourceSSECustomerKeyMD5'])
    const number = checkNumber(input.PartNumber)
    const { bucket: _, ...objects } = await s3.bucket(input.Bucket!)
    const upload = getUpload(objects, input)
    const source = readSource(objects, input)
    const range = /^bytes=(\d+)-(\d+)$/.exec(input.CopySourceRange ?? '')
    const span = range ? { start: Number(range[1]), end: Number(range[2]) + 1 } : { start: 0, end: source.size }
    if ((input.CopySourceRange !== undefined && !range) || span.end > source.size || span.start >= Math.max(span.end, 1)) {
      throw invalidArgument('x-amz-copy-source-range', input.CopySourceRange,
        'The x-amz-copy-source-range value must be of the form bytes=first-last '
        + 'where first and last are the zero-based offsets of the first and last bytes to copy')
    }
    const bytes = objects.files.read(source.parts, span)
    const payload: Payload = {
      [Symbol.asyncIterator]: () => bytes[Symbol.asyncIterator](), length: span.end - span.start, trailer: undefined, trailers: {},
    }
    const received = await receive(objects.files, { Body: payload }, { wanted: upload.info.checksum?.algorithm })
    const { checksum } = await keep(objects, { upload, number, received, now })
    return {
      CopySourceVersionId: shownVersion(getBucket(objects.tables, source.bucket), source.version), ServerSideEncryption: 'AES256',
      CopyPartResult: {
        ETag: quoted(received.md5.toString('hex')), LastModified: now,
        ...(checksum ? { [checksumMember(received.checksum!.algorithm)]: checksum } : {}) as object,
      },
    }
  },

  async CompleteMultipartUpload({ input, now }) {
    refuse('CompleteMultipartUpload', input, SSE)
    const { bucket, ...objects } = await s3.bucket(input.Bucket!)
    const upload = getUpload(objects, input)
    const parts = chosen(input.MultipartUpload?.Parts ?? [], objects.tables.parts(upload.id), upload.info.checksum)
    const size = parts.reduce((sum, part) => sum + part.size, 0)
    if (input.MpuObjectSize !== undefined && input.MpuObjectSize !== size)
      throw invalidRequest('The provided MpuObjectSize does not match the object.')
    const info: Info = { ...upload.info, multipart: true }
    if (info.checksum) {
      info.checksum = { ...info.checksum, value: joined(parts, info.checksum) }
      const claimed = (input as object as Record<string, unknown>)[checksumMember(info.checksum.algorithm)]
      if (claimed !== undefined && String(claimed).replace(/-\d+$/, '') !== info.checksum.value!.replace(/-\d+$/, '')) {
        throw new ApiError('BadDigest', `The ${info.checksum.algorithm} you specified did not match the calculated checksum.`)
      }
    }
    const etag = `${createHash('md5').update(Buffer.concat(parts.map(part => Buffer.from(part.etag, 'hex')))).digest('hex')}-${parts.length}`
    const pieces = parts.map(({ file, size, checksum }) => ({ file, size, checksum: checksum ?? undefined }))
    const make = { key: upload.key, size, etag, info, parts: pieces.filter(piece => piece.file !== ''), now }
    const version = await show(objects, {
      bucket: bucket.name, conditions: input, make, shared: () => invalidPart(),
      also: () => {
        getUpload(objects, input) // Another completion or an abort may have come first.
        return objects.tables.removeUpload(upload.id)
      },
    })
    return {
      Bucket: bucket.name, Key: upload.key, ETag: quoted(etag), VersionId: version, ServerSideEncryption: 'AES256',
      Location: locationOf(bucket.name, upload.key),
      ...checksumMembers(info),
    }
  },

  async AbortMultipartUpload({ input }) {
    refuse('AbortMultipartUpload', input, ['IfMatchInitiatedTime'])
    const { bucket: _, ...objects } = await s3.bucket(input.Bucket!)
    const freed = await objects.tables.transact(() => objects.tables.removeUpload(getUpload(objects, input).id))
    await objects.files.removeAll(freed)
    return {}
  },

  async ListParts({ input }) {
    refuse('ListParts', input, SSE)
    const { bucket, ...objects } = await s3.bucket(input.Bucket!)
    const upload = getUpload(objects, input)
    const marker = Number(input.PartNumberMarker ?? 0)
    const most = Math.min(input.MaxParts ?? 1000, 1000)
    const rest = objects.tables.parts(upload.id).filter(part => part.number > marker)
    const listed = rest.slice(0, most)
    const { algorithm, type } = upload.info.checksum ?? {}
    const owner = { ID: canonicalId(upload.info.owner) }
    return {
      Bucket: bucket.name, Key: upload.key, UploadId: upload.id, PartNumberMarker: String(marker), MaxParts: most,
      IsTruncated: rest.length > listed.length,
      NextPartNumberMarker: String(listed.at(-1)?.number ?? 0), Owner: owner, Initiator: owner, StorageClass: 'STANDARD',
      ChecksumAlgorithm: algorithm as Sdk.ChecksumAlgorithm, ChecksumType: type,
      Parts: listed.map(({ number, size, etag, modified, checksum }) => ({
        PartNumber: number, Size: size, ETag: quoted(etag), LastModified: new Date(modified),
        ...(checksum && algorithm ? { [checksumMember(algorithm)]: checksum } : {}),
      })),
    }
  },

  async ListMultipartUploads({ input }) {
    const { bucket, tables } = await s3.bucket(input.Bucket!)
    if (input.Delimiter !== undefined) throw invalidRequest('Enclume lists multipart uploads without a delimiter.')
    const most = Math.min(input.MaxUploads ?? 1000, 1000)
    const [key, id] = [input.KeyMarker ?? '', input.UploadIdMarker ?? '']
    const url = input.EncodingType === 'url'
    const encode = (text: string) => (url ? encodeURIComponent(text).replaceAll('%2F', '/') : text)
    const rest = tables.uploads(bucket.name).filter(upload => upload.key.startsWith(input.Prefix ?? ''))
      .filter(upload => input.KeyMarker === undefined || upload.key > key || (upload.key === key && id !== '' && upload.id > id))
    const listed = rest.slice(0, most)
    const more = rest.length > listed.length
    return {
      Bucket: bucket.name, KeyMarker: encode(key), UploadIdMarker: id, MaxUploads: most, IsTruncated: more, Prefix: input.Prefix,
      EncodingType: input.EncodingType, NextKeyMarker: more ? encode(listed.at(-1)!.key) : undefined,
      NextUploadIdMarker: more ? listed.at(-1)!.id : undefined,
      Uploads: listed.map(upload => ({
        UploadId: upload.id, Key: encode(upload.key), Initiated: new Date(upload.created), StorageClass: 'STANDARD',
        Owner: { ID: canonicalId(upload.info.owner) }, Initiator: { ID: canonicalId(upload.info.owner) },
        ChecksumAlgorithm: upload.info.checksum?.algorithm as Sdk.ChecksumAlgorithm, ChecksumType: upload.info.checksum?.type,
      })),
    }
  },
} satisfies Handlers<typeof Sdk>)

const locationOf = (bucket: string, key: string): string => `/${bucket}/${encodeURIComponent(key).replaceAll('%2F', '/')}`

type Kept = { upload: Upload; number: number; received: Awaited<ReturnType<typeof receive>>; now: Date }

/** A received part becomes the upload's, or its file goes. */
async function keep(objects: Objects, { upload, number, received, now }: Kept): Promise<{ checksum: string | null }> {
  const { piece, size, md5, checksum } = received
  const wanted = upload.info.checksum?.algorithm
  try {
    if (wanted !== undefined && checksum!.algorithm !== wanted) {
      throw invalidRequest(`Checksum Type mismatch occurred, expected checksum Type: ${wanted.toLowerCase()}, `
        + `actual checksum Type: ${checksum!.algorithm.toLowerCase()}`)
    }
    const part = {
      upload: upload.id, number, size, etag: md5.toString('hex'), modified: now.toISOString(), checksum: checksum?.value ?? null,
      file: piece.file, bytes: piece.bytes,
    }
    const freed = await objects.tables.transact(() => {
      if (!objects.tables.upload(upload.id)) throw noSuchUpload(upload.id)
      return objects.tables.putPart(part)
    })
    await objects.files.removeAll(freed)
    return { checksum: part.checksum }
  } catch (error) {
    return dropping(objects, piece)(error)
  }
}
