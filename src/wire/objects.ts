/**
 * Objects read and written as any client does, through S3's front door, of any size: what comes is sent on in parts as it comes.
 *
 * Invariant: an object is visible when all of its body has come, and not at all where anything failed.
 */
import * as sdk from '@aws-sdk/client-s3'

type Keys = { account: string; accessKeyId: string; secretAccessKey: string }
type Place = { account: string; region: string; bucket: string; key: string }
/** S3 takes parts of 5 MiB at least, and 10,000 of them (S3 User Guide, "Multipart upload limits"): so much is enough for 312 GiB. */
const PART_BYTES = 32 * 2 ** 20

/** As the account whose keys these are, and no other. */
export function openObjects(origin: () => string, { account: own, ...credentials }: Keys) {
  const clientOf = ({ account, region }: Place): sdk.S3Client => {
    if (account !== own) throw new Error(`there are no keys of the account ${account}`)
    return new sdk.S3Client({ endpoint: origin(), region, credentials, forcePathStyle: true })
  }
  return {
    async size(place: Place): Promise<number | undefined> {
      try {
        return (await clientOf(place).send(new sdk.HeadObjectCommand({ Bucket: place.bucket, Key: place.key }))).ContentLength
      } catch (error) {
        if (error instanceof sdk.S3ServiceException && (error.$metadata.httpStatusCode ?? 500) < 500) return undefined
        throw error
      }
    },
    async* read(place: Place): AsyncIterable<Uint8Array> {
      const { Body } = await clientOf(place).send(new sdk.GetObjectCommand({ Bucket: place.bucket, Key: place.key }))
      yield* Body as unknown as AsyncIterable<Uint8Array>
    },
    async write({ tags = {}, ...place }: Place & { tags?: Record<string, string> }, body: AsyncIterable<Uint8Array>) {
      const client = clientOf(place)
      const { bucket: Bucket, key: Key } = place
      const Tagging = new URLSearchParams(tags).toString() || undefined
      const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand({ Bucket, Key, Tagging }))
      try {
        const Parts: sdk.CompletedPart[] = []
        for await (const Body of inParts(body)) {
          const PartNumber = Parts.length + 1
          const { ETag } = await client.send(new sdk.UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
          Parts.push({ PartNumber, ETag })
        }
        await client.send(new sdk.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }))
      } catch (error) {
        await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => {})
        throw error
      }
    },
  }
}

async function* inParts(body: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  let held: Uint8Array[] = []
  let bytes = 0
  for await (const piece of body) {
    held.push(piece)
    bytes += piece.length
    if (bytes < PART_BYTES) continue
    yield Buffer.concat(held)
    held = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(held)
}
