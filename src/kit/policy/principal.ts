/** The Principal element: whom a resource's policy speaks of. */

/** Who asks, as resource policies name it. */
export type Asker = {
  account: string
  /** A user's, a role session's, a federated user's or the root user's ARN. */
  arn: string
  /** Of a session: the role that it is of. */
  roleArn?: string
  /** Instead of a principal of an account: a service, or who an identity provider vouches for. */
  service?: string
  provider?: string
  anonymous?: boolean
}
/**
 * How a policy reaches the asker: by its account (which must still let it by a policy of the principal's own), by its role (whose
 * boundary and session policies still count) or itself.
 */
export type Reach = 'account' | 'role' | 'itself'
export type PrincipalTest = (asker: Asker) => Reach | undefined

const NAMED = /^arn:[\w-]+:(iam|sts)::\d{12}:(user|role|assumed-role|federated-user)\/[^*?]+$/
const ACCOUNT = /^(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?$/

function awsTest(value: string): PrincipalTest {
  if (value === '*') return () => 'itself'
  const account = ACCOUNT.exec(value)?.[1]
  if (account) {
    return asker => (asker.account !== account || asker.service || asker.provider || asker.anonymous ? undefined
      : asker.arn === `arn:aws:iam::${account}:root` ? 'itself' : 'account')
  }
  return asker => (asker.service || asker.provider ? undefined : asker.arn === value ? 'itself' : asker.roleArn === value ? 'role' : undefined)
}

const RANK: Record<Reach, number> = { account: 0, role: 1, itself: 2 }

/** Why a Principal element is none, or undefined. */
export function principalFault(value: unknown): string | undefined {
  if (value === '*') return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'Principal must be "*" or an object'
  for (const [type, given] of Object.entries(value)) {
    if (!['AWS', 'Service', 'Federated', 'CanonicalUser'].includes(type)) return `unknown principal type ${type}`
    for (const item of [given].flat()) {
      if (typeof item !== 'string') return 'a principal must be a string'
      if (type !== 'AWS' || item === '*' || ACCOUNT.test(item)) continue
      if (!NAMED.test(item)) return `Invalid principal in policy: "AWS":"${item}"`
    }
  }
  return undefined
}

export function principalTest(value: unknown): PrincipalTest {
  if (value === '*') return () => 'itself'
  const tests: PrincipalTest[] = Object.entries(value as Record<string, string | string[]>).flatMap(([type, given]) =>
    [given].flat().map((item): PrincipalTest => {
      if (type === 'AWS') return awsTest(item)
      if (type === 'Service') return asker => (asker.service === item ? 'itself' : undefined)
      if (type === 'Federated') return asker => (asker.provider === item ? 'itself' : undefined)
      return () => undefined // Canonical user ids belong to S3's own accounts; nobody here has one.
    }))
  return asker => {
    let best: Reach | undefined
    for (const test of tests) {
      const reach = test(asker)
      if (reach && (!best || RANK[reach] > RANK[best])) best = reach
    }
    return best
  }
}
