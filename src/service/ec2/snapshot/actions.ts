/** What may be asked about snapshots: so far to see those behind images. Making them is not implemented yet. */
import type * as sdk from '@aws-sdk/client-ec2'
import { isResourceId } from '#base/id'
import type { Actions } from '#kit/action'
import { select } from '#kit/describe'
import { ApiError } from '#kit/error'
import { AMAZON } from '#service/ec2/image/image'
import { invalidCombination } from '#service/ec2/errors'
import { snapshot, visibleSnapshots, type SnapshotRow } from '#service/ec2/snapshot/snapshot'

/** Those of the ids given, or AWS's error. */
function named(rows: readonly SnapshotRow[], ids: readonly string[]): SnapshotRow[] {
  return ids.map(id => {
    if (!isResourceId('snap', id)) throw new ApiError(snapshot.malformed, `Invalid id: "${id}" (expecting "snap-...")`)
    const row = rows.find(candidate => candidate.id === id)
    if (!row) throw new ApiError(snapshot.missing, `The snapshot '${id}' does not exist.`)
    return row
  })
}

export const actions: Actions<typeof sdk> = {
  async DescribeSnapshots(call) {
    const { input: { SnapshotIds: ids = [], OwnerIds: owners = [], RestorableByUserIds: users = [], MaxResults: most }, tx, account } = call
    if (ids.length > 0 && most !== undefined) {
      throw invalidCombination('The parameter snapshotIds cannot be used with the parameter maxResults')
    }
    const all = await visibleSnapshots(tx, call)
    const accounts = owners.map(owner => (owner === 'self' ? account : owner === 'amazon' ? AMAZON : owner))
    const rows = (ids.length > 0 ? named(all, [...new Set(ids)]) : all)
      .filter(row => owners.length === 0 || accounts.includes(row.account))
      // No account was given a permission of its own yet: only `all`, that of public snapshots, and the owner's.
      .filter(row => users.length === 0 || (users.includes('all') && row.spec.public)
        || (users.includes('self') && row.account === account))
    const { hits, next } = await select(call, snapshot, { ids: undefined, rows })
    return { Snapshots: hits.map(hit => hit.view), NextToken: next }
  },
}
