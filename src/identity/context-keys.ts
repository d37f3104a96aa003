/** Global condition keys: what every request says of itself and its caller (IAM User Guide, "AWS global condition context keys"). */
import type { Caller } from '#kit/caller'
import type { Asker } from '#kit/policy/principal'
import type { Holdings } from '#identity/holdings'

const TYPES = { root: 'Account', user: 'User', role: 'AssumedRole', federated: 'FederatedUser' } as const

export const askerOf = ({ principal }: Pick<Caller, 'principal'>, roleArn?: string): Asker =>
  ({ account: principal.account, arn: principal.arn, ...(principal.account === '' && { anonymous: true }),
    ...(roleArn !== undefined && { roleArn }) })

/** Keys in lower case. Those of a session are absent from requests signed with long-term keys, which policies on MFA rely on. */
export function globalKeys(caller: Caller, { tags, name, roleArn }: Holdings, now: Date): Map<string, string[]> {
  const { principal, region, sourceIp, userAgent, secure = false, via } = caller
  const { session } = principal
  const federated = session?.kind === 'federated-user'
  const type = federated ? TYPES.federated : principal.root ? TYPES.root : principal.role ? TYPES.role : TYPES.user
  const keys = new Map<string, string[]>([
    ['aws:currenttime', [now.toISOString()]], ['aws:epochtime', [String(Math.floor(now.getTime() / 1000))]],
    ['aws:useragent', [userAgent]], ['aws:securetransport', [String(secure)]], ['aws:requestedregion', [region]], ['aws:viaawsservice', ['false']],
    ['aws:principalisawsservice', ['false']], ['aws:principalaccount', [principal.account]], ['aws:principaltype', [type]],
    ['aws:principalarn', [roleArn ?? principal.arn]], ['aws:userid', [principal.userId]],
  ])
  // Either of the two: who comes by an endpoint has no address of the internet's.
  if (!via) keys.set('aws:sourceip', [sourceIp])
  else {
    keys.set('aws:sourcevpc', [via.vpc])
    keys.set('aws:vpcsourceip', [via.address])
    if (via.endpoint) keys.set('aws:sourcevpce', [via.endpoint.id]).set('aws:vpceaccount', [via.endpoint.account])
  }
  if (name !== undefined && !federated) keys.set('aws:username', [name])
  for (const [key, value] of Object.entries(tags)) keys.set(`aws:principaltag/${key.toLowerCase()}`, [value])
  if (session) {
    keys.set('aws:tokenissuetime', [session.issued])
    keys.set('aws:multifactorauthpresent', [String(session.mfa !== undefined)])
    if (session.mfa !== undefined) keys.set('aws:multifactorauthage',
      [String(Math.max(0, Math.floor((now.getTime() - Date.parse(session.mfa)) / 1000)))])
    if (session.sourceIdentity !== undefined) keys.set('aws:sourceidentity', [session.sourceIdentity])
    if (session.provider !== undefined) keys.set('aws:federatedprovider', [session.provider])
    if (session.source) {
      const { instance, vpc, address, delivery } = session.source
      keys.set('ec2:sourceinstancearn', [instance])
      keys.set('ec2:roledelivery', [delivery])
      keys.set('aws:ec2instancesourcevpc', [vpc])
      keys.set('aws:ec2instancesourceprivateipv4', [address])
    }
    if (principal.role) keys.set('aws:assumedroot', ['false'])
  }
  return keys
}
