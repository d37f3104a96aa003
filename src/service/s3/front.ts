/** What S3 tells browsers beside its API: answers to CORS preflights, and the headers that let their pages read. */
import { ApiError } from '#kit/error'
import { headersOf, ruleFor, type Crossing } from '#service/s3/cors'
import type { S3 } from '#service/s3/context'
import { siteOf, sitePage } from '#service/s3/website'
import type { Front } from '#service/service'

type Head = Parameters<Front['page']>[0]

const PREFLIGHT = { contentType: 'text/plain', body: '' }
const refused = (message: string): ApiError => new ApiError('AccessForbidden', message, 403)

export function front(s3: S3, bucketOf: (head: Head) => string | undefined): Front {
  async function crossing(head: Head, asked: Crossing): Promise<Record<string, string> | undefined> {
    const name = bucketOf(head)
    const bucket = name === undefined ? undefined : (await s3.ready()).tables.bucket(name)
    const rule = ruleFor(bucket?.settings.cors ?? [], asked)
    return rule && headersOf(rule, asked)
  }
  return {
    async page(head, call) {
      const site = siteOf(head.headers.host)
      if (site !== undefined) return sitePage(s3, site, { head, call })
      if (head.method !== 'OPTIONS') return undefined
      const method = head.headers['access-control-request-method']
      if (!head.headers.origin || !method) throw new ApiError('BadRequest', 'Insufficient information. Origin request header needed.')
      const headers = head.headers['access-control-request-headers']?.split(',').map(name => name.trim()).filter(Boolean) ?? []
      const allowed = await crossing(head, { origin: head.headers.origin, method, headers })
      if (!allowed) throw refused('CORSResponse: This CORS request is not allowed. This is usually because the evaluation of Origin, request '
        + 'method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource\'s CORS spec.')
      return { status: 200, ...PREFLIGHT, headers: allowed }
    },
    headers: async head => (head.headers.origin === undefined ? {}
      : await crossing(head, { origin: head.headers.origin, method: head.method, headers: [] }) ?? {}),
  }
}
