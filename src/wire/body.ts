/**
 * Reads request bodies.
 *
 * Invariant: no body, sent or inflated, takes more memory than its limit.
 */
import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { ApiError } from '#kit/error'

/** A client that sends this many times the limit is cut off; up to there it is heard out, so that it reads the answer. */
const PATIENCE = 16
const inflate = promisify(gunzip)

/** The whole body. Throws RequestEntityTooLarge, or the connection's error. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= limit) chunks.push(chunk)
    else {
      chunks.length = 0
      if (size > limit * PATIENCE) break // Leaving the loop destroys the request and its connection.
    }
  }
  if (size > limit) throw tooLarge(limit)
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)
}

/** The body without its content encoding; only gzip is known, which SDKs use for large requests. */
export async function decodeBody(body: Buffer, { encoding, limit }: { encoding?: string; limit: number }): Promise<Buffer> {
  if (!encoding || encoding === 'identity') return body
  if (encoding !== 'gzip') throw new ApiError('MalformedHttpRequest', `The content encoding ${encoding} is not supported.`)
  try {
    return await inflate(body, { maxOutputLength: limit })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit)
    throw new ApiError('MalformedHttpRequest', 'The body is not gzip, as its content encoding says.')
  }
}

const tooLarge = (limit: number) => new ApiError('RequestEntityTooLarge', `The request is larger than ${limit} bytes.`, 413)
