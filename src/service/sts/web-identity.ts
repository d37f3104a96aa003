/**
 * AssumeRoleWithWebIdentity: a role for who has a provider's token instead of keys. The request is not signed; the token is its proof.
 *
 * Invariant: nothing is answered before the token is verified, and the role's trust policy names the provider.
 */
import type * as Sdk from '@aws-sdk/client-sts'
import type { Actions } from '#kit/action'
import { ApiError } from '#kit/error'
import { policyOf } from '#kit/policy/document'
import { evaluate } from '#kit/policy/evaluate'
import { assumedPrincipal, roleOf } from '#identity/assume'
import type { Identity } from '#identity/identity'
import { providerArn, verifyToken, type Claims } from '#identity/oidc'
import { roles, type ProviderRow, type RoleRow } from '#identity/records'
import { packedPercent } from '#identity/session'
import { checkSessionName, sessionPolicies } from '#service/sts/assume'
import { checkDuration, credentialsOf, HOUR_S } from '#service/sts/session'

const denied = () => new ApiError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 403)

/** IAM User Guide, "Available keys for AWS OIDC federation": the provider's URL and the claim. */
function keysOf(claims: Claims, { spec }: ProviderRow): [string, string[]][] {
  const given = { aud: claims.azp ?? claims.aud, oaud: claims.azp === undefined ? undefined : claims.aud, sub: claims.sub, amr: claims.amr }
  return Object.entries(given).flatMap(([name, value]): [string, string[]][] => {
    const values = [value].flat().filter(one => typeof one === 'string')
    return values.length > 0 ? [[`${spec.url}:${name}`.toLowerCase(), values]] : []
  })
}

function mayAssume(row: RoleRow, { claims, provider, name }: { claims: Claims; provider: ProviderRow; name: string }): boolean {
  const keys = new Map([
    ...keysOf(claims, provider), ['sts:rolesessionname', [name]] as [string, string[]], ['aws:federatedprovider',
      [providerArn(provider)]] as [string, string[]],
  ])
  const resource = [policyOf(row.spec.trust, { kind: 'trust', name: row.spec.name })]
  const asker = { account: provider.account, arn: '', provider: providerArn(provider) }
  const question = { action: 'sts:AssumeRoleWithWebIdentity', resource: roles.arn(row), keys, asker }
  return evaluate({ identity: [], resource, resourceDecides: true }, question).decision === 'allowed'
}

export const webIdentityActions = (identity: Identity): Actions<typeof Sdk> => ({
  AssumeRoleWithWebIdentity: {
    async look({ input, reader, now }) {
      const name = checkSessionName(input.RoleSessionName!)
      if (input.ProviderId !== undefined) {
        throw new ApiError('UnsupportedOperation', 'Enclume does not implement ProviderId: it knows no OAuth 2.0 providers.')
      }
      const row = await roleOf(reader, input.RoleArn!)
      if (!row) throw denied()
      const { claims, provider } = await verifyToken(reader, { account: row.account, token: input.WebIdentityToken!, now })
      if (!mayAssume(row, { claims, provider, name })) throw denied()
      const lastsS = checkDuration(input.DurationSeconds ?? HOUR_S, { least: 900, most: 12 * HOUR_S })
      if (lastsS > row.spec.longestS) {
        throw new ApiError('ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.')
      }
      const narrowed = await sessionPolicies(reader, row.account, input)
      const made = identity.issue(assumedPrincipal(row, name), { kind: 'web-identity', name, provider: providerArn(provider), ...narrowed, lastsS })
      return {
        Credentials: credentialsOf(made), AssumedRoleUser: { AssumedRoleId: made.principal.userId, Arn: made.principal.arn },
        SubjectFromWebIdentityToken: claims.sub, Provider: providerArn(provider), Audience: claims.aud,
        PackedPolicySize: narrowed.policies || narrowed.policyArns ? packedPercent(made.principal) : undefined,
      }
    },
  },
})
