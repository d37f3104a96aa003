/**
 * Every call of AWS's APIs that the console makes: the AWS SDK for JavaScript, signed here, sent to this page's own origin.
 *
 * Invariant: there is no other way from a page to a resource. A call that is refused for its key asks once for another key (the server may
 * have started anew); every other refusal is the caller's to show.
 */
import type { Input, Preview, Service } from './preview'
import { credentials, forgetCredentials } from './session'

export type { Input, Service }
/** Answers as the SDK gives them. Pages read them by AWS's names. */
export type Answer = any

const modules = {
  ec2: () => import('./ec2'),
  iam: () => import('@aws-sdk/client-iam'),
  s3: () => import('@aws-sdk/client-s3'),
  ssm: () => import('@aws-sdk/client-ssm'),
  sts: () => import('@aws-sdk/client-sts'),
  dlm: () => import('@aws-sdk/client-dlm'),
  cloudtrail: () => import('@aws-sdk/client-cloudtrail'),
  cloudwatch: () => import('@aws-sdk/client-cloudwatch'),
} satisfies Record<Service, () => Promise<object>>
const classes: Record<Service, string> = {
  ec2: 'EC2Client',
  iam: 'IAMClient',
  s3: 'S3Client',
  ssm: 'SSMClient',
  sts: 'STSClient',
  dlm: 'DLMClient',
  cloudtrail: 'CloudTrailClient',
  cloudwatch: 'CloudWatchClient',
}

const KEPT = 'enclume-region'
let region = localStorage.getItem(KEPT) ?? ''
export const currentRegion = (): string => region
export function chooseRegion(chosen: string): void {
  region = chosen
  localStorage.setItem(KEPT, chosen)
}

const clients = new Map<string, Promise<{ client: any; module: any }>>()

function clientOf(service: Service): Promise<{ client: any; module: any }> {
  const key = `${service}/${region}`
  let found = clients.get(key)
  if (!found) {
    found = modules[service]().then((module: any) => ({
      module,
      client: new module[classes[service]]({ region, endpoint: location.origin, credentials, maxAttempts: 2, forcePathStyle: true }),
    }))
    clients.set(key, found)
  }
  return found
}

const STALE = new Set([
  'AuthFailure',
  'InvalidClientTokenId',
  'ExpiredToken',
  'ExpiredTokenException',
  'UnrecognizedClientException',
  'InvalidAccessKeyId',
  'RequestExpired',
])

export async function call(service: Service, operation: string, input: Input = {}): Promise<Answer> {
  const send = async () => {
    const { client, module } = await clientOf(service)
    return client.send(new module[`${operation}Command`](input))
  }
  try {
    return await send()
  } catch (error) {
    if (!STALE.has((error as Error).name)) throw error
    forgetCredentials()
    clients.clear()
    return send()
  }
}

/** What is asked, or nothing where the API says by this code that there is none. */
export async function orNone(code: string, asked: Promise<Answer>): Promise<Answer> {
  try {
    return await asked
  } catch (error) {
    if ((error as Error).name === code) return {}
    throw error
  }
}

/** Makes a call as it was shown. */
export const send = ({ service, operation, input }: Preview): Promise<Answer> => call(service, operation, input)

/** All pages of a listing, as one list. `onPart` is told what there is after each page but the last. */
export async function listAll(
  service: Service,
  operation: string,
  member: string,
  input: Input = {},
  onPart: (found: any[]) => void = () => {},
): Promise<any[]> {
  const found: any[] = []
  let next: Input = {}
  do {
    const answer = await call(service, operation, { ...input, ...next })
    found.push(...(answer[member] ?? []))
    next = answer.NextToken ? { NextToken: answer.NextToken } : answer.Marker && answer.IsTruncated ? { Marker: answer.Marker } : {}
    if (Object.keys(next).length > 0) onPart([...found])
  } while (Object.keys(next).length > 0)
  return found
}

/** 'IncorrectState: The volume is in use.' */
export function wordsOf(error: unknown): string {
  const { name, message } = error as Error
  return message ? `${name}: ${message}` : name
}
