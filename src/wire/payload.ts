/**
 * S3's request bodies as they come: plain, hashed, or in aws-chunked frames with signatures and trailers.
 *
 * Invariant: the iteration ends well only when as many bytes came as were announced and everything that was signed holds.
 */
import { createHash, createHmac, hash, type KeyObject } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { ApiError } from '#kit/error'
import type { Payload } from '#kit/payload'
import { same } from '#wire/sigv4'

export const EMPTY = hash('sha256', '', 'hex')
const FRAMED = /^STREAMING-(?:UNSIGNED-PAYLOAD-TRAILER|AWS4-HMAC-SHA256-PAYLOAD(?:-TRAILER)?)$/
/** Longer than any frame's head, or all trailers together. */
const LONGEST_LINE = 8192
const MOST_TRAILERS = 16

/** What x-amz-content-sha256 may say; undefined where it says something else. */
export const isPayloadHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text) || text === 'UNSIGNED-PAYLOAD' || FRAMED.test(text)

/** What signs the frames of a body: the request's own signature begins the chain. */
export type FrameKey = { key: KeyObject; scope: string; time: string; seed: string }
export type PayloadOptions = { headers: IncomingHttpHeaders; payloadHash: string; frameKey: FrameKey | undefined }

const incomplete = () => new ApiError('IncompleteBody', 'You did not provide the number of bytes specified by the Content-Length HTTP header')
const badFrame = () => new ApiError('InvalidRequest', 'The body is not in the aws-chunked frames that its headers announce.')

function lengthOf(headers: IncomingHttpHeaders, framed: boolean): number | undefined {
  const text = framed ? headers['x-amz-decoded-content-length'] : headers['content-length']
  if (text === undefined) return headers['transfer-encoding'] === undefined && !framed ? 0 : undefined
  if (!/^\d{1,15}$/.test(String(text))) throw new ApiError('InvalidArgument', 'The length of the body is not a number.')
  return Number(text)
}

/** The payload of a request whose head is authentic. */
export function openPayload(source: AsyncIterable<Buffer>, { headers, payloadHash, frameKey }: PayloadOptions): Payload {
  const framed = FRAMED.test(payloadHash) || /(^|,\s*)aws-chunked/.test(headers['content-encoding'] ?? '')
  const trailers: Record<string, string> = {}
  const length = lengthOf(headers, framed)
  const signed = payloadHash.startsWith('STREAMING-AWS4') ? frameKey : undefined
  async function* counted(): AsyncGenerator<Buffer> {
    const digest = /^[0-9a-f]{64}$/.test(payloadHash) ? createHash('sha256') : undefined
    let size = 0
    for await (const piece of framed ? frames(source, { signed, trailers }) : source) {
      size += piece.length
      if (length !== undefined && size > length) throw incomplete()
      digest?.update(piece)
      yield piece
    }
    if (length !== undefined && size !== length) throw incomplete()
    if (digest && digest.digest('hex') !== payloadHash) {
      throw new ApiError('XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.")
    }
  }
  return { [Symbol.asyncIterator]: counted, length, trailers, trailer: headers['x-amz-trailer']?.toString().trim().toLowerCase() }
}

type Frames = { signed: FrameKey | undefined; trailers: Record<string, string> }

/** `size;chunk-signature=…`, the bytes, and so on until a size of zero; then the trailers, each on a line. */
async function* frames(source: AsyncIterable<Buffer>, { signed, trailers }: Frames): AsyncGenerator<Buffer> {
  const input = openInput(source)
  let previous = signed?.seed ?? ''
  for (;;) {
    const head = await input.line()
    const match = /^([0-9a-f]{1,15})(?:;chunk-signature=([0-9a-f]{64}))?$/i.exec(head ?? '')
    if (!match) throw head === undefined ? incomplete() : badFrame()
    const digest = signed && createHash('sha256')
    let left = parseInt(match[1]!, 16)
    const last = left === 0
    while (left > 0) {
      const piece = await input.some(left)
      if (!piece) throw incomplete()
      left -= piece.length
      digest?.update(piece)
      yield piece
    }
    if (signed) previous = checkFrame(signed, { previous, digest: digest!.digest('hex'), given: match[2] })
    if (last) break
    const end = await input.line()
    if (end !== '') throw end === undefined ? incomplete() : badFrame()
  }
  let text = ''
  let signature: string | undefined
  for (let count = 0; ; count++) {
    const line = await input.line()
    if (line === undefined || line === '') break
    const colon = line.indexOf(':')
    if (colon < 1 || count > MOST_TRAILERS) throw badFrame()
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (name === 'x-amz-trailer-signature') signature = value
    else {
      trailers[name] = value
      text += `${name}:${value}\n`
    }
  }
  if (signed && text) checkTrailers(signed, { previous, text, given: signature })
}

const unlike = () => new ApiError('SignatureDoesNotMatch',
  'The request signature we calculated does not match the signature you provided. Check your key and signing method.', 403)

function checkFrame({ key, scope, time }: FrameKey, { previous, digest, given = '' }: { previous: string; digest: string; given?: string }): string {
  const text = `AWS4-HMAC-SHA256-PAYLOAD\n${time}\n${scope}\n${previous}\n${EMPTY}\n${digest}`
  if (!same(createHmac('sha256', key).update(text).digest('hex'), given)) throw unlike()
  return given
}

function checkTrailers({ key, scope, time }: FrameKey, { previous, text, given = '' }: { previous: string; text: string; given?: string }): void {
  const signed = `AWS4-HMAC-SHA256-TRAILER\n${time}\n${scope}\n${previous}\n${hash('sha256', text, 'hex')}`
  if (!same(createHmac('sha256', key).update(signed).digest('hex'), given)) throw unlike()
}

/** Lines and bytes from a source of buffers, without copying more than what stands across two of them. */
function openInput(source: AsyncIterable<Buffer>) {
  const iterator = source[Symbol.asyncIterator]()
  let held: Buffer = Buffer.alloc(0)
  const more = async (): Promise<boolean> => {
    const { done, value } = await iterator.next()
    if (done) return false
    held = held.length > 0 ? Buffer.concat([held, value]) : value
    return true
  }
  return {
    /** The next line without its end; undefined where the source has ended. */
    async line(): Promise<string | undefined> {
      let end: number
      while ((end = held.indexOf('\r\n')) < 0) {
        if (held.length > LONGEST_LINE) throw badFrame()
        if (await more()) continue
        if (held.length === 0) return undefined
        throw incomplete()
      }
      const line = held.toString('latin1', 0, end)
      held = held.subarray(end + 2)
      return line
    },
    /** Some of the next bytes, at most `limit`. */
    async some(limit: number): Promise<Buffer | undefined> {
      if (held.length === 0 && !(await more())) return undefined
      const piece = held.subarray(0, limit)
      held = held.subarray(piece.length)
      return piece
    },
  }
}
