/**
 * Static websites (S3 User Guide, "Hosting a static website"): index and error documents, redirects.
 *
 * Invariant: a page is read by GetObject as nobody, so that a bucket's policy decides what the public sees.
 */
import type { GetObjectCommandOutput, WebsiteConfiguration } from '@aws-sdk/client-s3'
import { ApiError } from '#kit/error'
import { escapeHtml } from '#service/s3/html'
import type { S3 } from '#service/s3/context'
import type { Front } from '#service/service'

type Head = Parameters<Front['page']>[0]
type Call = Parameters<Front['page']>[1]
type Page = NonNullable<Awaited<ReturnType<Front['page']>>>

/** `BUCKET.s3-website-REGION.amazonaws.com`, with a dot for regions of newer age, or on this machine `BUCKET.s3-website.localhost`. */
const HOST = /^(.+?)\.s3-website(?:[.-][a-z0-9-]+)?\.(?:localhost|amazonaws\.com)$/i

export const siteOf = (host: string | undefined): string | undefined => HOST.exec((host ?? '').replace(/:\d+$/, ''))?.[1]

const HTML = 'text/html; charset=utf-8'
function plain({ code, message, status }: ApiError): Page {
  const title = `${status} ${status === 404 ? 'Not Found' : status === 403 ? 'Forbidden' : 'Error'}`
  const body = `<html><head><title>${title}</title></head><body><h1>${title}</h1><ul><li>Code: ${escapeHtml(code)}</li>`
    + `<li>Message: ${escapeHtml(message)}</li></ul></body></html>\n`
  return { status, contentType: HTML, body }
}
/** Header values have no line breaks, whatever a key holds. */
const moved = (status: 301 | 302, location: string): Page =>
  ({ status, contentType: HTML, headers: { location: encodeURI(location) }, body: '' })

function shown(object: GetObjectCommandOutput, status = 200): Page {
  const headers = Object.entries({
    etag: object.ETag, 'last-modified': object.LastModified?.toUTCString(), 'content-length': String(object.ContentLength),
    'cache-control': object.CacheControl, 'content-encoding': object.ContentEncoding, 'content-language': object.ContentLanguage,
    'content-disposition': object.ContentDisposition,
  }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return {
    status, contentType: object.ContentType ?? 'binary/octet-stream', headers: Object.fromEntries(headers),
    body: (object.Body ?? '') as unknown as AsyncIterable<Uint8Array>,
  }
}

export async function sitePage(s3: S3, bucket: string, { head, call }: { head: Head; call: Call }): Promise<Page> {
  if (head.method !== 'GET' && head.method !== 'HEAD') return plain(new ApiError('MethodNotAllowed', 'The method is not allowed.', 405))
  const found = (await s3.ready()).tables.bucket(bucket)
  if (!found) return plain(new ApiError('NoSuchBucket', 'The specified bucket does not exist', 404))
  const site = found.settings.website as WebsiteConfiguration | undefined
  if (!site) return plain(new ApiError('NoSuchWebsiteConfiguration', 'The specified bucket does not have a website configuration', 404))
  const all = site.RedirectAllRequestsTo
  if (all) return moved(301, `${all.Protocol ?? 'http'}://${all.HostName}${head.path}${head.query && `?${head.query}`}`)
  let path: string
  try {
    path = decodeURIComponent(head.path.slice(1))
  } catch {
    return plain(new ApiError('InvalidURI', "Couldn't parse the specified URI.", 400))
  }
  const index = site.IndexDocument!.Suffix!
  // A body that nobody reads would hold its file.
  const read = head.method === 'HEAD' ? 'HeadObject' : 'GetObject'
  const get = async (Key: string): Promise<GetObjectCommandOutput> => await call(read, { Bucket: bucket, Key }) as GetObjectCommandOutput
  try {
    const object = await get(path === '' || path.endsWith('/') ? path + index : path)
    return object.WebsiteRedirectLocation === undefined ? shown(object) : moved(301, object.WebsiteRedirectLocation)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const folder = ['NoSuchKey', 'AccessDenied'].includes(error.code) && path !== '' && !path.endsWith('/')
      && await call('HeadObject', { Bucket: bucket, Key: `${path}/${index}` }).then(() => true, () => false)
    if (folder) return moved(302, `/${path}/`)
    const own = site.ErrorDocument?.Key
    return own === undefined ? plain(error) : get(own).then(object => shown(object, error.status), () => plain(error))
  }
}
