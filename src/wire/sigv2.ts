/**
 * Verifies S3's older presigned links (AWS Signature Version 2 in the query string), which clients of its age still make.
 *
 * Invariant: it signs less than version 4 does (no host, no body), so it is accepted for links alone, never in a header.
 */
import { createHmac } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { bucketOfHost } from '#wire/restxml'

export type OldSignature = { accessKeyId: string; expires: number; signature: string; token?: string }
type Signed = { method: string; path: string; query: URLSearchParams; headers: IncomingHttpHeaders }

/** Query parameters that are part of what is signed (S3 User Guide, "Signing and authenticating REST requests"). */
const SUBRESOURCES = new Set([
  'acl', 'cors', 'delete', 'lifecycle', 'location', 'logging', 'notification', 'partNumber', 'policy', 'requestPayment', 'restore', 'tagging',
  'torrent', 'uploadId', 'uploads', 'versionId', 'versioning', 'versions', 'website', 'response-cache-control', 'response-content-disposition',
  'response-content-encoding', 'response-content-language', 'response-content-type', 'response-expires',
])

/** The signature that a link carries, not verified yet. */
export function readOldSignature(query: URLSearchParams): OldSignature | undefined {
  const [accessKeyId, expires, signature] = [query.get('AWSAccessKeyId'), query.get('Expires'), query.get('Signature')]
  if (!accessKeyId || !signature || !expires || !/^\d{1,12}$/.test(expires)) return undefined
  return { accessKeyId, expires: Number(expires), signature, token: query.get('x-amz-security-token') ?? undefined }
}

/** The signature that the secret's holder would have made. */
export function oldSignatureOf({ method, path, query, headers }: Signed, { expires }: OldSignature, secret: string): string {
  const text = (name: string): string => String(headers[name] ?? '')
  const amz = new Map(Object.keys(headers).filter(name => name.startsWith('x-amz-')).map(name => [name, text(name).trim()]))
  for (const [name, value] of query) if (name.startsWith('x-amz-') && !amz.has(name)) amz.set(name, value)
  const lines = [...amz].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}:${value}\n`).join('')
  const named = bucketOfHost(headers.host)
  const sub = [...query].filter(([name]) => SUBRESOURCES.has(name)).sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join('&')
  const resource = `${named === undefined ? '' : `/${named}`}${path}${sub && `?${sub}`}`
  const signed = `${method}\n${text('content-md5')}\n${text('content-type')}\n${expires}\n${lines}${resource}`
  return createHmac('sha1', secret).update(signed).digest('base64')
}
