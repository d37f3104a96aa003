/** A denial in AWS's words, and as the message that only DecodeAuthorizationMessage can read. */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Caller } from '#kit/caller'
import type { Layer, Verdict } from '#kit/policy/evaluate'
import type { Sealer } from '#identity/seal'

type Denied = { action: string; resource: string; keys: ReadonlyMap<string, string[]>; verdict: Verdict }

/** IAM User Guide, "Troubleshoot access denied error messages". */
const KINDS: Record<Layer, { deny: string; lack: string }> = {
  identity: { deny: 'an identity-based policy', lack: 'identity-based policy' }, resource: { deny: 'a resource-based policy',
    lack: 'resource-based policy' },
  boundary: { deny: 'a permissions boundary', lack: 'permissions boundary' }, session: { deny: 'a session policy', lack: 'session policy' },
  endpoint: { deny: 'a VPC endpoint policy', lack: 'VPC endpoint policy' },
  scp: { deny: 'a service control policy', lack: 'service control policy' },
}

export function denialMessage(arn: string, { action, resource, verdict }: Denied): string {
  const { deny, lack } = KINDS[verdict.by]
  const why = verdict.decision === 'explicitDeny' ? `with an explicit deny in ${deny}` : `because no ${lack} allows the ${action} action`
  return `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} ${why}`
}

/** What was asked and found, sealed for the account that it is about. */
export function sealDenial(sealer: Sealer, { principal }: Caller, { action, resource, keys, verdict }: Denied): string {
  const message = {
    allowed: false, explicitDeny: verdict.decision === 'explicitDeny',
    matchedStatements: { items: verdict.matched.map(({ policy, statement }) =>
      ({ statementId: statement.sid, effect: 'DENY', sourcePolicyId: policy })) },
    failures: { items: [] },
    context: {
      principal: { id: principal.userId, arn: principal.arn }, action, resource,
      conditions: { items: [...keys].map(([key, values]) => ({ key, values: { items: values.map(value => ({ value })) } })) },
    },
  }
  return sealer.seal('denial', principal.account, deflateRawSync(JSON.stringify(message))).toString('base64url')
}

/** The message as it was sealed for this account, or undefined. */
export function openDenial(sealer: Sealer, account: string, encoded: string): string | undefined {
  const opened = sealer.open('denial', account, Buffer.from(encoded, 'base64url'))
  return opened && inflateRawSync(opened).toString()
}
