/** What users, groups and roles have alike: inline policies, attached managed policies, boundaries. */
import type { Tx } from '#store/store'
import type { Action } from '#kit/action'
import { findPolicy } from '#identity/managed'
import { groups, roles, users, type GroupSpec, type Holding, type RoleSpec, type UserSpec } from '#identity/records'
import { checkArn, checkBoundary } from '#service/iam/boundary'
import { checkName, exceeded, gone, noSuch, page, QUOTA, under, type IamActions } from '#service/iam/common'
import { checkDocument, encodeDocument, sizeOf } from '#service/iam/documents'
import type { Row } from '#store/store'

type Name = 'User' | 'Group' | 'Role'
type Holder = Row<UserSpec | GroupSpec | RoleSpec, object>
const entities = { User: users, Group: groups, Role: roles }
const MOST = { User: QUOTA.userPolicyBytes, Group: QUOTA.groupPolicyBytes, Role: QUOTA.rolePolicyBytes }

export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
type Asked = Record<string, any>

async function get(tx: Tx, account: string, kind: Name, input: Asked): Promise<Holder> {
  const name = input[`${kind}Name`] as string
  const row = await entities[kind].byName(tx, account, name)
  if (!row) throw noSuch(kind.toLowerCase(), name)
  return row
}
const write = (tx: Tx, kind: Name, row: Holder, spec: Partial<Holding>) => (entities[kind] as typeof users).update(tx, row as Row<UserSpec, object>,
  spec)

/** Inline policies of one kind of holder. */
function inlineActions(kind: Name): Record<string, Action<any, any>> {
  const found = (row: Holder, name: string): string => {
    const document = Object.hasOwn(row.spec.inline, name) ? row.spec.inline[name] : undefined
    if (document === undefined) throw gone(`The ${kind.toLowerCase()} policy with name ${name} cannot be found.`)
    return document
  }
  return {
    async [`Put${kind}Policy`]({ tx, input, account }) {
      const row = await get(tx, account, kind, input)
      const name = checkName('PolicyName', input.PolicyName)
      const document = checkDocument(input.PolicyDocument, { kind: 'identity', quota: `PolicySizePer${kind}`, most: MOST[kind] })
      const inline = { ...row.spec.inline, [name]: document }
      const size = Object.values(inline).reduce((sum, one) => sum + sizeOf(one), 0)
      if (size > MOST[kind]) throw exceeded(`PolicySizePer${kind}`, MOST[kind])
      await write(tx, kind, row, { inline })
      return {}
    },
    async [`Get${kind}Policy`]({ tx, input, account }) {
      const row = await get(tx, account, kind, input)
      return { [`${kind}Name`]: row.spec.name, PolicyName: input.PolicyName, PolicyDocument: encodeDocument(found(row, input.PolicyName)) }
    },
    async [`Delete${kind}Policy`]({ tx, input, account }) {
      const row = await get(tx, account, kind, input)
      found(row, input.PolicyName)
      const { [input.PolicyName as string]: _, ...inline } = row.spec.inline
      await write(tx, kind, row, { inline })
      return {}
    },
    async [`List${kind}Policies`]({ tx, input, account }) {
      const row = await get(tx, account, kind, input)
      const { items, ...rest } = page(Object.keys(row.spec.inline).sort(byText), input, name => name)
      return { PolicyNames: items, ...rest }
    },
  }
}

export const attachedView = (arn: string) => ({ PolicyName: arn.slice(arn.lastIndexOf('/') + 1), PolicyArn: arn })
const pathOf = (arn: string) => ({ spec: { path: arn.slice(arn.indexOf('/'), arn.lastIndexOf('/') + 1) } })

function attachedActions(kind: Name): Record<string, Action<any, any>> {
  return {
    async [`Attach${kind}Policy`]({ tx, input, account }) {
      const row = await get(tx, account, kind, input)
      checkArn('PolicyArn', input.PolicyArn)
      if (!await findPolicy(tx, account, input.PolicyArn)) throw gone(`Policy ${input.PolicyArn} does not exist or is not attachable.`)
      if (row.spec.attached.includes(input.PolicyArn)) return {}
      if (row.spec.attached.length >= QUOTA.attached) throw exceeded(`PoliciesPer${kind}`, QUOTA.attached)
      await write(tx, kind, row, { attached: [...row.spec.attached, input.PolicyArn] })
      return {}
    },
    async [`Detach${kind}Policy`]({ tx, input, account }) {
      const row = await get(tx, account, kind, input)
      if (!row.spec.attached.includes(input.PolicyArn)) throw gone(`Policy ${input.PolicyArn} was not found.`)
      await write(tx, kind, row, { attached: row.spec.attached.filter(arn => arn !== input.PolicyArn) })
      return {}
    },
    async [`ListAttached${kind}Policies`]({ tx, input, account }) {
      const row = await get(tx, account, kind, input)
      const { items, ...rest } = page(row.spec.attached.filter(arn => under(input.PathPrefix)(pathOf(arn))).sort(byText), input, arn => arn)
      return { AttachedPolicies: items.map(attachedView), ...rest }
    },
  }
}

function boundaryActions(kind: 'User' | 'Role'): Record<string, Action<any, any>> {
  return {
    async [`Put${kind}PermissionsBoundary`]({ tx, input, account }) {
      const row = await get(tx, account, kind, input)
      await write(tx, kind, row, { boundary: await checkBoundary(tx, account, input.PermissionsBoundary) } as Partial<Holding>)
      return {}
    },
    async [`Delete${kind}PermissionsBoundary`]({ tx, input, account }) {
      const row = await get(tx, account, kind, input)
      if ((row.spec as UserSpec).boundary === undefined) throw gone(`${kind} ${row.spec.name} has no permissions boundary.`)
      await write(tx, kind, row, { boundary: undefined } as Partial<Holding>)
      return {}
    },
  }
}

export const holderActions: IamActions = Object.assign({},
  ...(['User', 'Group', 'Role'] as const).flatMap(kind => [inlineActions(kind), attachedActions(kind)]),
  boundaryActions('User'), boundaryActions('Role'))
