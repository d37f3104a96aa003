/** Who may make volumes from a snapshot, and whether anything may be shared with everybody. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Actions, Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { blockingOf, isBlocked, setBlocking, type Blocking } from '#service/ec2/account/public-access'
import { permissionsView, shared } from '#service/ec2/account/sharing'
import { invalidValue } from '#service/ec2/errors'
import { getVisible, snapshot, type SnapshotRow } from '#service/ec2/snapshot/snapshot'

const PERMISSION = 'createVolumePermission'

/** The caller's own; one that is another's may be seen and not managed. */
export async function getOwnSnapshot(call: Call<object>, id: string): Promise<SnapshotRow> {
  const [row] = await getVisible(call.tx, call, [id])
  if (row!.account !== call.account || row!.spec.owner === 'amazon') {
    throw new ApiError('UnauthorizedOperation', `You are not authorized to perform this operation on snapshot '${id}'.`, 403)
  }
  return row!
}

const STATES: Record<Blocking, sdk.SnapshotBlockPublicAccessState> = { none: 'unblocked', new: 'block-new-sharing', all: 'block-all-sharing' }

export const sharing: Actions<typeof sdk> = {
  async DescribeSnapshotAttribute(call) {
    const { Attribute: name, SnapshotId: id } = call.input
    const row = await getOwnSnapshot(call, id!)
    if (name === PERMISSION) return { SnapshotId: id, CreateVolumePermissions: permissionsView(row.spec) }
    if (name === 'productCodes') return { SnapshotId: id, ProductCodes: [] }
    throw invalidValue('attribute', name)
  },

  async ModifySnapshotAttribute(call) {
    const { input, tx } = call
    const row = await getOwnSnapshot(call, input.SnapshotId!)
    if (input.Attribute !== undefined && input.Attribute !== PERMISSION) throw invalidValue('attribute', input.Attribute)
    const { OperationType, UserIds, GroupNames: groups, CreateVolumePermission: change } = input
    const shares = shared(row.spec, call.account, { OperationType, UserIds, groups, change })
    if (shares.public && !row.spec.public && await isBlocked(tx, call, 'snapshot', 'new')) {
      throw new ApiError('OperationNotPermitted',
        'Block public access for snapshots is enabled in this account and Region: they can\'t be shared publicly.')
    }
    await snapshot.update(tx, row, { spec: shares }, 'shared')
    return {}
  },

  async ResetSnapshotAttribute(call) {
    const row = await getOwnSnapshot(call, call.input.SnapshotId!)
    if (call.input.Attribute !== PERMISSION) throw invalidValue('attribute', call.input.Attribute)
    await snapshot.update(call.tx, row, { spec: { public: false, users: [] } }, 'shared')
    return {}
  },

  async GetSnapshotBlockPublicAccessState(call) {
    return { State: STATES[await blockingOf(call.tx, call, 'snapshot')], ManagedBy: 'account' }
  },

  async EnableSnapshotBlockPublicAccess(call) {
    const asked = call.input.State
    if (asked !== 'block-new-sharing' && asked !== 'block-all-sharing') throw invalidValue('state', asked)
    await setBlocking(call.tx, call, 'snapshot', asked === 'block-new-sharing' ? 'new' : 'all')
    return { State: asked }
  },

  async DisableSnapshotBlockPublicAccess(call) {
    await setBlocking(call.tx, call, 'snapshot', 'none')
    return { State: 'unblocked' }
  },
}
