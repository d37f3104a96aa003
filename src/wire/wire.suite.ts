/** What the tests of the wire share: two services, two keys, a wire on a free port, and a signer for odd requests. */
import type { TestContext } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import * as sts from '@aws-sdk/client-sts'
import { Sha256 } from '@smithy/core/checksum'
import { HttpRequest } from '@smithy/core/protocols'
import { SignatureV4 } from '@smithy/signature-v4'
import { openLog } from '#base/log'
import { errorsOf, operationsOf } from '#kit/schema'
import { openWire, type Dispatch, type WireOptions, type WireService } from '#wire/server'

export const services: WireService[] = [
  {
    id: 'ec2', signingName: 'ec2', version: '2016-11-15', xmlns: 'http://ec2.amazonaws.com/doc/2016-11-15/', protocol: 'ec2Query',
    operations: operationsOf(ec2), errors: errorsOf(ec2),
  },
  {
    id: 'sts', signingName: 'sts', version: '2011-06-15', xmlns: 'https://sts.amazonaws.com/doc/2011-06-15/', protocol: 'awsQuery',
    operations: operationsOf(sts), errors: errorsOf(sts),
  },
]
export const principal = { account: '123456789012', arn: 'arn:aws:iam::123456789012:root', userId: '123456789012', root: true }
export const good = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'the-secret-itself' }
export const session = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'another-secret', sessionToken: 'the-token' }
const holders = new Map([good, session].map(key => [key.accessKeyId, key]))

/** A wire on a free port of loopback, with everything it logged and a client of each service. */
export async function open(t: TestContext, dispatch: Dispatch, more: Partial<WireOptions> = {}) {
  const lines: string[] = []
  const wire = openWire({
    services, dispatch, clock: () => new Date(), log: openLog(line => lines.push(line)), health: () => ({ status: 'ok' }),
    credentials: async id => {
      const key = holders.get(id) as typeof session | undefined
      return key && { secret: key.secretAccessKey, sessionToken: key.sessionToken, principal }
    },
    ...more,
  })
  const { port } = await wire.listen(0, '127.0.0.1')
  const clients: { destroy(): void }[] = []
  t.after(async () => {
    for (const client of clients) client.destroy()
    wire.server.closeAllConnections()
    if (wire.server.listening) await wire.close()
  })
  const url = `http://127.0.0.1:${port}`
  const options = { endpoint: url, region: 'eu-west-3', credentials: good, maxAttempts: 1 }
  const keep = <T extends { destroy(): void }>(client: T): T => { clients.push(client); return client }
  return {
    wire, url, lines, port,
    ec2: (config: ec2.EC2ClientConfig = {}) => keep(new ec2.EC2Client({ ...options, ...config })),
    sts: (config: sts.STSClientConfig = {}) => keep(new sts.STSClient({ ...options, ...config })),
  }
}
export const nothing: Dispatch = async () => ({})

export type Sign = {
  service?: string
  region?: string
  headers?: Record<string, string>
  credentials?: typeof good & { sessionToken?: string }
  date?: Date
  /** What is sent instead of what was signed. */
  tampered?: string
}
/** Sends a body signed by the SDK's signer, so that it may be anything. */
export async function post(url: string, body: string | Uint8Array, sign: Sign = {}) {
  const { service = 'ec2', region = 'eu-west-3', headers = {} } = sign
  const signer = new SignatureV4({ service, region, credentials: sign.credentials ?? good, sha256: Sha256 })
  const { hostname, port } = new URL(url)
  const made = await signer.sign(new HttpRequest({
    method: 'POST', protocol: 'http:', hostname, port: Number(port), path: '/', body, headers: { host: `${hostname}:${port}`, ...headers },
  }), { signingDate: sign.date })
  const response = await fetch(url, { method: 'POST', headers: made.headers, body: (sign.tampered ?? body) as string })
  return { status: response.status, text: await response.text(), headers: response.headers }
}
export const refusal = async (sent: Promise<{ status: number; text: string }>) => {
  const { status, text } = await sent
  return `${status} ${/<Code>(.*?)<\/Code>/.exec(text)?.[1]}: ${/<Message>(.*?)<\/Message>/.exec(text)?.[1]}`
}
