/** Puts an object into a bucket as any client does: by a signed request to a front door. Rejects with what the door answered. */
import { createHmac, hash } from 'node:crypto'
import { signingKey } from '#wire/sigv4'

export type PutOptions = {
  /** `http://127.0.0.1:4566`. */
  origin: string
  keys: { accessKeyId: string; secretAccessKey: string }
  region: string
  bucket: string
  key: string
  body: Buffer
  now: Date
}

const encode = (text: string) => encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

export async function putObject({ origin, keys, region, bucket, key, body, now }: PutOptions): Promise<void> {
  const path = `/${[bucket, ...key.split('/')].map(encode).join('/')}`
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '')
  const date = time.slice(0, 8)
  const digest = hash('sha256', body, 'hex')
  const headers = { 'host': new URL(origin).host, 'x-amz-content-sha256': digest, 'x-amz-date': time }
  const names = Object.keys(headers).join(';')
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`).join('')
  const scope = `${date}/${region}/s3/aws4_request`
  const canonical = hash('sha256', ['PUT', path, '', lines, names, digest].join('\n'), 'hex')
  const signature = createHmac('sha256', signingKey({ secret: keys.secretAccessKey, date, region, service: 's3' }))
    .update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${canonical}`).digest('hex')
  const { host: _, ...sent } = headers
  const reply = await fetch(`${origin}${path}`, {
    method: 'PUT', body: new Uint8Array(body), signal: AbortSignal.timeout(30_000),
    headers: { ...sent, authorization: `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}` },
  })
  const text = await reply.text()
  if (!reply.ok) throw new Error(`s3://${bucket}/${key}: ${reply.status} ${text.slice(0, 500)}`)
}
