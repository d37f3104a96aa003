/**
 * With whom a snapshot or an image is shared: accounts by name, and everybody. Requests write it in a newer and an older form, for both alike.
 *
 * Invariant: the owner has what is its own, and is in no list.
 */
import { ApiError } from '#kit/error'
import { invalidCombination, invalidValue } from '#service/ec2/errors'

export type Shares = { public: boolean; users?: string[] }
type Permission = { UserId?: string; Group?: string }
export type SharingInput = {
  OperationType?: string
  UserIds?: string[]
  /** `GroupNames` of snapshots, `UserGroups` of images. */
  groups?: string[]
  change?: { Add?: Permission[]; Remove?: Permission[] }
}

function checked(permissions: Permission[]): Permission[] {
  for (const { UserId: user, Group: group } of permissions) {
    if (user === undefined && group === undefined) throw invalidCombination('A permission needs a UserId or a Group.')
    if (group !== undefined && group !== 'all') {
      throw new ApiError('InvalidParameterValue', `Value (${group}) for parameter groupName is invalid. The only group is all.`)
    }
    if (user !== undefined && !/^\d{12}$/.test(user)) {
      throw new ApiError('InvalidAMIAttributeItemValue', `Invalid attribute item value "${user}" for userId item type.`)
    }
  }
  return permissions
}

/** What a request adds and removes. */
function changes({ OperationType: operation, UserIds: users = [], groups = [], change }: SharingInput): { add: Permission[]; remove: Permission[] } {
  const named = [...users.map(UserId => ({ UserId })), ...groups.map(Group => ({ Group }))]
  if (change && (operation !== undefined || named.length > 0)) throw invalidCombination('The permissions may be given in one form only.')
  if (change) return { add: checked(change.Add ?? []), remove: checked(change.Remove ?? []) }
  if (operation !== 'add' && operation !== 'remove') throw invalidValue('operationType', operation)
  if (named.length === 0) throw invalidCombination('No accounts and no groups were given.')
  return operation === 'add' ? { add: checked(named), remove: [] } : { add: [], remove: checked(named) }
}

/** The shares as a request wants them. */
export function shared(before: Shares, account: string, input: SharingInput): Required<Shares> {
  const { add, remove } = changes(input)
  const users = new Set(before.users)
  for (const { UserId } of remove) if (UserId !== undefined) users.delete(UserId)
  for (const { UserId } of add) if (UserId !== undefined && UserId !== account) users.add(UserId)
  const all = (permissions: Permission[]) => permissions.some(({ Group }) => Group === 'all')
  return { public: all(add) || (before.public && !all(remove)), users: [...users].sort() }
}

export const permissionsView = (shares: Shares): { UserId?: string; Group?: 'all' }[] =>
  [...(shares.public ? [{ Group: 'all' as const }] : []), ...(shares.users ?? []).map(UserId => ({ UserId }))]
