/** Roles as principals: whose a role's ARN is, who a session of it is, whether a service may assume it. */
import type { Principal } from '#kit/caller'
import { policyOf } from '#kit/policy/document'
import { evaluate } from '#kit/policy/evaluate'
import { roles, type RoleRow } from '#identity/records'
import type { Reader } from '#store/store'

const ARN = /^arn:aws:iam::(\d{12}):role(\/(?:[\x21-\x7e]*\/)?)([\w+=,.@-]+)$/

export async function roleOf(reader: Reader, arn: string): Promise<RoleRow | undefined> {
  const [, account, path, name] = ARN.exec(arn) ?? []
  const row = account === undefined ? undefined : await roles.byName(reader, account, name!)
  return row && row.spec.path === path && row.spec.name === name ? row : undefined
}

export const assumedPrincipal = (row: RoleRow, name: string): Principal => ({
  account: row.account, role: row.id, userId: `${row.id}:${name}`, arn: `arn:aws:sts::${row.account}:assumed-role/${row.spec.name}/${name}`,
})

/** Whether a role's trust policy names a service. `more`: condition keys of the request. */
export function trusts(row: RoleRow, service: string, more: [key: string, values: string[]][] = []): boolean {
  const resource = [policyOf(row.spec.trust, { kind: 'trust', name: row.spec.name })]
  const asker = { account: row.account, arn: service, service }
  const keys = new Map([['aws:principalservicename', [service]], ['aws:principalisawsservice', ['true']], ...more])
  const { decision } = evaluate({ identity: [], resource, resourceDecides: true }, { action: 'sts:AssumeRole', resource: roles.arn(row),
    keys, asker })
  return decision === 'allowed'
}
